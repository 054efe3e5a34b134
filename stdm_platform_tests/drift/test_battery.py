"""Each drift is noticed by the right check, told in the right words, and does what it may and no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stdm_platform.data360 import Data360
from stdm_platform.extraction import DayOutcome
from stdm_platform.guard import Drift
from stdm_platform.orchestration.drift_page import passes, severity_of
from stdm_platform_tests.drift.cases import Case, cases
from stdm_platform_tests.drift.world import HELD, LATER, NEW, World

TRIED = [(case, transport) for case in cases() for transport in case.transports]


@pytest.mark.parametrize(
    ("case", "transport"), TRIED, ids=[f"{c.of}: {c.name} ({via})" for c, via in TRIED]
)
def test_a_change_is_told_at_its_severity_and_what_is_bad_does_not_get_in(
    world: World,
    clients: dict[str, Data360],
    changed_rows: Callable[[str], None],
    case: Case,
    transport: str,
) -> None:
    before = world.published()
    changed_rows(case.of)
    for sql in case.sql:
        world.org.execute(sql)
    world.org.change_settings(**case.settings)
    outcomes = world.read(clients[transport], [case.of])
    assert {each.status for each in outcomes.values()} == {case.status}
    for day, outcome in zip((HELD, NEW), outcomes.values(), strict=True):
        _assert_told(case, outcome, str(day))
    _assert_drift(case, world.drifts())
    _assert_paged(case, world)
    if case.severity == "block":
        assert world.published() == before
        assert world.mart_days_to_build() == []
    else:
        _assert_published(case, world, outcomes[case.of, NEW])


def test_the_table_has_every_class_of_drift_on_several_objects() -> None:
    assert len(cases()) >= 40
    by_class: dict[str, set[str]] = {}
    for case in cases():
        by_class.setdefault(case.classes, set()).add(case.of)
    alone = {name for name, of in by_class.items() if len(of) < 3}
    assert alone <= {"column_renamed"}, by_class  # only one column of the catalog has two names
    assert {case.of for case in cases()} == {
        "sessions", "participants", "interactions", "steps", "messages", "moments",
    }  # fmt: skip


def _assert_told(case: Case, outcome: DayOutcome, day: str) -> None:
    """What the command prints and the check shows of one day."""
    said = outcome.describe()
    assert case.of in said
    assert day in said
    if case.severity == "block":
        assert case.column in said
        assert case.old is None or case.old in said or case.kind == "type_changed"
    if case.check == "vocabulary":
        assert outcome.verdict is not None
        expected = {} if day == str(HELD) else {case.column: {case.new: 2}}
        assert outcome.verdict.unseen == expected
    elif case.check == "quarantine":
        assert outcome.verdict is not None
        assert outcome.quarantined == 2
        assert outcome.verdict.quarantined == {f"not_null {case.column}": 2}
        said = outcome.verdict.describe_quarantine()
        assert all(word in said for word in (*case.words, "2 rows", case.of, day, case.column))
    elif case.check:
        assert outcome.verdict is not None
        (failure,) = outcome.verdict.failures
        assert (failure.check, failure.column) == (case.check, case.column)
        if not case.kind:
            assert all(word in said for word in case.words)
    else:
        assert outcome.verdict is None or outcome.verdict.passed


def _assert_drift(case: Case, found: list[Drift]) -> None:
    if not case.kind:
        assert found == []
        return
    (drift,) = [each for each in found if each.kind not in case.besides]
    assert all(each.severity == "news" for each in found if each != drift)
    assert (drift.kind, drift.severity, drift.dmo) == (case.kind, case.severity, case.of)
    assert (drift.column, drift.old, drift.new) == (case.column, case.old, case.new)
    assert drift.first_day == (NEW if case.since_rows else LATER.date())
    assert all(word in drift.action for word in case.words)
    said = drift.describe()
    named = (drift.object_name, drift.column, drift.old, drift.new, str(drift.first_day))
    assert drift.object_name
    assert all(word in said for word in (*named, drift.action))
    assert passes(found) == (case.severity == "news")
    assert (severity_of(found).value == "ERROR") == (case.severity == "block")


def _assert_paged(case: Case, world: World) -> None:
    notices = world.told(case.of)
    if not case.kind or case.severity == "news":
        assert notices == []
        return
    (notice,) = notices
    assert notice.severity == {"block": "error", "warn": "warning"}[case.severity]
    assert notice.assets == (f"stdm/{case.of}",)
    assert case.column in notice.reason


def _assert_published(case: Case, world: World, outcome: DayOutcome) -> None:
    assert world.rows(case.of, NEW) == outcome.rows > 0
    aside = 2 if case.check == "quarantine" else 0
    held = world.rows(case.of, HELD)
    assert held > 0
    assert outcome.quarantined == aside
