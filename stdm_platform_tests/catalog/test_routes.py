"""From session ids to every DMO, by the references of the catalog."""

from __future__ import annotations

import pytest

from stdm_platform.catalog import DMOS, Column, Dmo, dmo
from stdm_platform.catalog.ids import canonical, is_id, spellings
from stdm_platform.catalog.routes import Link, Route, routes_from_sessions

FIFTEEN, EIGHTEEN = "0MwWs0000000AbC", "0MwWs0000000AbCKAU"


def entry(name: str, parent: str | None = None, /, **references: str) -> Dmo:
    """A DMO with these columns, each referring to another DMO; the parent's is required."""
    return Dmo(
        name=name,
        label=name,
        objects=(f"{name}__dlm",),
        key=f"{name}_key",
        clock="at",
        parent=parent,
        columns=(
            Column(f"{name}_key", "id__c", "text", "Key.", required=True),
            Column("at", "timestamp__c", "timestamp", "Clock.", required=True),
            *(
                Column(column, f"{column}__c", "text", "Key.", column == parent, references=other)
                for column, other in references.items()
            ),
        ),
        description="For a test.",
    )


def route(name: str, *dmos: Dmo) -> Route:
    return {each.dmo.name: each for each in routes_from_sessions((*DMOS, *dmos))}[name]


def test_every_dmo_of_the_catalog_is_reached_after_those_it_starts_from() -> None:
    routes = routes_from_sessions()
    assert {each.dmo.name for each in routes} == {each.name for each in DMOS}
    seen: set[str] = set()
    for each in routes:
        assert {link.source for link in each.links} <= seen
        seen.add(each.dmo.name)
    assert not routes[0].links


def test_a_required_session_key_alone_is_enough() -> None:
    by_session = Link("session_id", "sessions", "session_id")
    for name in ("participants", "interactions", "moments"):
        assert route(name).links == (by_session,)


def test_steps_come_by_turn_and_messages_by_turn_or_session() -> None:
    by_turn = Link("interaction_id", "interactions", "interaction_id")
    assert route("steps").links == (by_turn,)
    assert route("messages").links == (Link("session_id", "sessions", "session_id"), by_turn)


def test_a_dmo_added_by_its_entry_alone_is_reached_down_a_chain() -> None:
    requests = entry("requests", session="sessions")
    responses = entry("responses", "request", request="requests")
    assert route("requests", responses, requests).links == (
        Link("session", "sessions", "session_id"),
    )
    assert route("responses", responses, requests).links == (
        Link("request", "requests", "requests_key"),
    )


def test_rows_that_reached_ones_refer_to_come_by_their_key_and_their_children_after_them() -> None:
    drafts, qualities = (
        entry("drafts"),
        entry("qualities", "parent", parent="drafts"),
    )
    calls = entry("calls", "turn", turn="interactions", draft="drafts")
    links = Link("drafts_key", "calls", "draft")
    assert route("drafts", drafts, qualities, calls).links == (links,)
    assert route("qualities", drafts, qualities, calls).links == (
        Link("parent", "drafts", "drafts_key"),
    )


def test_what_many_sessions_share_does_not_lead_back_down_to_other_sessions() -> None:
    marks = entry("marks")
    labels = entry("labels", session="sessions", moment="moments", mark="marks")
    assert [link.column for link in route("labels", marks, labels).links] == ["session", "moment"]
    assert route("marks", marks, labels).links == (Link("marks_key", "labels", "mark"),)


def test_what_a_row_owns_is_found_from_both_sides() -> None:
    assert route("generations").links == (
        Link("gateway_response_id", "gateway_responses", "gateway_response_id"),
        Link("generation_id", "steps", "generation_id"),
    )
    assert [link.source for link in route("steps").links] == ["interactions"]
    assert route("steps").spare == ()


def test_a_column_that_may_hold_either_of_two_keys_is_asked_for_both() -> None:
    assert route("content_categories").links == (
        Link("parent_id", "content_quality", "content_quality_id"),
        Link("parent_id", "generations", "generation_id"),
    )


def test_spans_come_by_the_trace_that_a_turn_names() -> None:
    by_trace = Link("telemetry_trace_id", "interactions", "telemetry_trace_id")
    assert route("telemetry_spans").links == (by_trace,)


def test_a_chain_of_sessions_is_not_followed() -> None:
    assert dmo("sessions")["previous_session_id"].references == "sessions"
    assert routes_from_sessions()[0].links == ()


def test_a_dmo_without_any_connection_has_no_route() -> None:
    names = {each.dmo.name for each in routes_from_sessions((*DMOS, entry("lonely")))}
    assert "lonely" not in names


def test_dmos_that_refer_to_each_other_are_still_reached() -> None:
    left = entry("left", turn="interactions", other="right")
    right = entry("right", other="left")
    assert [link.column for link in route("left", left, right).links] == ["turn"]
    assert [link.column for link in route("right", left, right).links] == ["other"]


@pytest.mark.parametrize("id_", [FIFTEEN, EIGHTEEN, f'"{EIGHTEEN}"'])
def test_every_form_of_an_id_is_asked_for(id_: str) -> None:
    assert set(spellings(id_)) == {FIFTEEN, EIGHTEEN, f'"{FIFTEEN}"', f'"{EIGHTEEN}"'}
    assert canonical(id_) == EIGHTEEN


def test_an_id_of_another_form_is_only_quoted() -> None:
    assert spellings("0199-ab") == ("0199-ab", '"0199-ab"')
    assert canonical('"0199-ab"') == "0199-ab"


@pytest.mark.parametrize("value", [None, "", "NOT_SET", "None", '"NOT_SET"'])
def test_a_sentinel_is_no_id(value: str | None) -> None:
    assert not is_id(value)
