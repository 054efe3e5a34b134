"""Quality: each share by hand, on the smallest rows in which the seed's formula and ours differ.

The faults are those of section 8.3 of the Data 360 page: A3 to A12.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight import (
    Scope,
    find_hallucinations,
    find_low_instruction_adherence,
    find_toxic_responses,
    find_unresolved_tasks,
    quality_report,
)
from stdm_platform.insight.signals import SIGNALS
from stdm_platform.lake import Lake
from stdm_platform.marts import DBT_PROJECT
from stdm_platform_tests.insight.mart_tables import Row, marts_with, session
from stdm_platform_tests.marts.lakes import NEXT, hold

COUNTS = ("sessions", "checks", "flagged", "unreadable", "checked_sessions", "flagged_sessions")


def daily(signal: str, state: str = "checked", *counts: int, **more: object) -> Row:
    """A row of `quality_daily` with the figures of `COUNTS`, the missing ones null."""
    figures = dict(zip(COUNTS, counts, strict=False))
    return {"signal": signal, "state": state, **figures, **more}


def verdict(signal: str, key: str, **more: object) -> Row:
    row = {"signal": signal, "detection_id": key, "subject_id": key, "is_flagged": True, "is_counted": True,
           "detected_at": "2026-01-14 10:00:00+00", "session_id": "s", "interaction_id": "t",
           "bound_by": "step"}  # fmt: skip
    return {**row, **more}


def test_a_share_is_of_the_verdicts_and_sessions_without_one_are_unknown(tmp_path: Path) -> None:
    """A9: two bad ones of four verdicts are half, whatever the ten sessions that nobody judged."""
    store = marts_with(
        tmp_path,
        quality_daily=[
            daily("groundedness", "checked", 10, 3, 1, 1, 2, 1, delivered=0),
            daily("groundedness", "checked", 2, 1, 1, 0, 1, 1, delivered=1, session_date=NEXT),
        ],
    )
    (row,) = quality_report(store, Scope()).to_dicts()
    assert (row["checks"], row["flagged"], row["flagged_share"]) == (4, 2, 0.5)
    assert (row["unreadable"], row["delivered"]) == (1, 1)
    assert (row["sessions"], row["checked_sessions"], row["checked_session_share"]) == (12, 3, 0.25)
    assert row["flagged_session_share"] == 0.667
    assert row["definition"] == SIGNALS["groundedness"].definition


def test_steps_without_their_interactions_ask_for_those(tmp_path: Path) -> None:
    store = marts_with(
        tmp_path,
        session_summary=[session("s")],
        quality_daily=[daily("groundedness", "not_extracted", 1)],
    )
    for name in ("sessions", "steps"):
        hold(Lake(tmp_path), name)
    with pytest.raises(NotExtractedError, match="interactions were never extracted"):
        find_hallucinations(store, Scope())
    hold(Lake(tmp_path), "interactions")
    with pytest.raises(NotExtractedError, match="steps were never extracted"):
        find_hallucinations(store, Scope())


def test_days_on_which_nobody_looked_are_in_no_denominator_and_are_said(tmp_path: Path) -> None:
    store = marts_with(
        tmp_path,
        quality_daily=[
            daily("pii", "checked", 4, 4, 1, 0, 4, 1),
            daily("pii", "not_extracted", 7, session_date=NEXT),
        ],
    )
    (row,) = quality_report(store, Scope()).to_dicts()
    assert (row["flagged_share"], row["sessions"], row["unextracted_sessions"]) == (0.25, 4, 7)
    assert row["state"] == "checked"


def test_what_was_looked_at_and_never_judged_is_no_clean_day(tmp_path: Path) -> None:
    store = marts_with(
        tmp_path, quality_daily=[daily("toxicity", "never_checked", 5, 0, 0, 0, 0, 0)]
    )
    (row,) = quality_report(store, Scope()).to_dicts()
    assert (row["state"], row["flagged"], row["flagged_share"]) == ("never_checked", 0, None)


def test_nothing_that_was_never_extracted_is_reported_as_zero(tmp_path: Path) -> None:
    """A12: the report says so, and no number; with one signal known, the others stay null."""
    rows = [daily(signal, "not_extracted", 3) for signal in SIGNALS]
    (tmp_path / "all").mkdir()
    with pytest.raises(NotExtractedError, match="content_categories") as caught:
        quality_report(marts_with(tmp_path / "all", quality_daily=rows), Scope())
    assert "stdm extract" in str(caught.value)
    rows[0] = daily("groundedness", "checked", 3, 1, 0, 0, 1, 0)
    report = quality_report(marts_with(tmp_path, quality_daily=rows), Scope())
    assert report["signal"].to_list() == list(SIGNALS)
    toxicity = report.row(1, named=True)
    assert (toxicity["state"], toxicity["checks"], toxicity["flagged"]) == (
        "not_extracted",
        None,
        None,
    )


def test_by_agent_every_agent_has_a_row_and_previews_count_on_demand(tmp_path: Path) -> None:
    store = marts_with(
        tmp_path,
        quality_daily=[
            daily("pii", "checked", 1, 1, 0, 0, 1, 0),
            daily("pii", "checked", 1, 1, 1, 0, 1, 1, agent_name="Other"),
            daily("pii", "checked", 1, 1, 1, 0, 1, 1, is_preview=True),
        ],
    )
    rows = quality_report(store, Scope(), by_agent=True).select("agent_name", "flagged").rows()
    assert rows == [("Desk", 0), ("Other", 1)]
    assert quality_report(store, Scope(agent="Desk", previews=True))["flagged"].to_list() == [1]


def test_without_sessions_there_is_an_empty_report(tmp_path: Path) -> None:
    store = marts_with(tmp_path)
    assert quality_report(store, Scope()).is_empty()
    assert find_toxic_responses(store, Scope()).total == 0


def test_a_toxic_text_is_one_row_with_all_its_categories(tmp_path: Path) -> None:
    """A5 to A7: the seed counted a text once for its verdict and once for each category and step."""
    store = marts_with(
        tmp_path,
        quality_daily=[daily("toxicity", "checked", 1, 5, 2, 0, 1, 1)],
        quality_signals=[
            verdict("toxicity", "q1", subject_id="q1", content_side="OUTPUT"),
            verdict("toxicity", "c1", subject_id="q1", category="hate", score=0.6, is_counted=False),
            verdict("toxicity", "c2", subject_id="q1", category="violence", score=0.9, is_counted=False),
            verdict("toxicity", "q2", subject_id="q2", content_side="INPUT", session_id=None,
                    is_preview=None),
        ],
    )  # fmt: skip
    found = find_toxic_responses(store, Scope())
    assert found.total == found.facts["flagged"] == 2
    rows = {row["content_side"]: row for row in found.rows.to_dicts()}
    assert rows["OUTPUT"]["categories"] == "violence, hate"
    assert rows["OUTPUT"]["score"] == 0.9
    assert (rows["INPUT"]["session_id"], rows["INPUT"]["categories"]) == (None, None)  # L2


def test_the_answer_that_the_user_saw_stands_beside_its_verdict(tmp_path: Path) -> None:
    said = {
        "session_id": "s",
        "interaction_id": "t",
        "event_kind": "message",
        "event_at": "2026-01-14",
    }
    store = marts_with(
        tmp_path,
        quality_daily=[daily("groundedness", "checked", 1, 2, 1, 0, 1, 1)],
        quality_signals=[
            verdict("groundedness", "v", verdict="UNGROUNDED", raw_verdict="NOT_GROUNDED", detail="why"),
            verdict("groundedness", "w", verdict="GROUNDED", is_flagged=False),
        ],
        session_timeline=[
            {**said, "event_id": "1", "event_type": "Input", "text": "what?", "event_number": 1},
            {**said, "event_id": "2", "event_type": "Output", "text": "this", "event_number": 2},
            {**said, "event_id": "3", "event_type": "Output", "text": "other turn", "interaction_id": "u",
             "event_number": 3},
        ],
    )  # fmt: skip
    (row,) = find_hallucinations(store, Scope()).rows.to_dicts()
    assert (row["verdict"], row["raw_verdict"]) == ("UNGROUNDED", "NOT_GROUNDED")
    assert (row["reason"], row["answer_text"]) == ("why", "this")


def test_a_verdict_that_only_repeats_another_is_found_once(tmp_path: Path) -> None:
    store = marts_with(
        tmp_path,
        quality_daily=[daily("task_resolution", "checked", 1, 1, 1, 0, 1, 1)],
        quality_signals=[
            verdict("task_resolution", "audit", verdict="UNRESOLVED"),
            verdict("task_resolution", "guardrail", verdict="UNRESOLVED", is_counted=False),
        ],
    )
    found = find_unresolved_tasks(store, Scope())
    assert (found.total, found.facts["flagged"]) == (1, 1)


def test_an_unknown_resolution_and_an_uncertain_adherence_are_no_failures(tmp_path: Path) -> None:
    """A10: anything but FULLY_RESOLVED, NOT_SET too, was unresolved for the seed."""
    store = marts_with(
        tmp_path,
        quality_daily=[
            daily("task_resolution", "checked", 1, 0, 0, 1, 0, 0),
            daily("instruction_adherence", "checked", 1, 1, 0, 0, 1, 0),
        ],
        quality_signals=[
            verdict("task_resolution", "a", verdict=None, is_flagged=None),
            verdict("instruction_adherence", "b", verdict="UNCERTAIN", is_flagged=False),
        ],
    )
    assert find_unresolved_tasks(store, Scope()).total == 0
    assert find_low_instruction_adherence(store, Scope()).total == 0


def test_a_total_is_never_the_limit_and_previews_are_marked(tmp_path: Path) -> None:
    """A11: ten thousand rows were counted, and no more."""
    store = marts_with(
        tmp_path,
        session_summary=[session("s")],
        quality_daily=[daily("groundedness", "checked", 1, 3, 3, 0, 1, 1)],
        quality_signals=[
            verdict("groundedness", str(number), is_preview=number == 2,
                    detected_at=f"2026-01-14 10:00:0{number}+00")
            for number in range(3)
        ],
    )  # fmt: skip
    found = find_hallucinations(store, Scope(), 1)
    assert (found.rows.height, found.total) == (1, 3)
    assert found.rows["is_preview"].to_list() == [True]  # the newest
    assert find_hallucinations(store, Scope(agent="Other")).total == 0


@pytest.mark.parametrize(
    "finder", [find_hallucinations, find_toxic_responses, find_unresolved_tasks]
)
def test_a_finder_of_what_was_never_extracted_is_an_error(tmp_path: Path, finder: object) -> None:
    rows = [daily(signal, "not_extracted", 3) for signal in SIGNALS]
    with pytest.raises(NotExtractedError, match="never extracted"):
        finder(marts_with(tmp_path, quality_daily=rows), Scope())  # type: ignore[operator]


def test_the_signals_need_what_the_model_says_that_they_need() -> None:
    model = (DBT_PROJECT / "marts" / "quality_daily.sql").read_text()
    for signal in SIGNALS.values():
        assert f"('{signal.name}', {list(signal.objects)})" in model
