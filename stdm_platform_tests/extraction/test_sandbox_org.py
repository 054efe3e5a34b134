"""Extraction over real HTTP, against a sandbox org: both transports, small chunks, faults."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import sleep

import pytest

from stdm_platform.data360 import Connection, Data360
from stdm_platform.errors import PermissionDeniedError
from stdm_platform.extraction import DayOutcome, count_rows, extract_range, look, windows_of_days
from stdm_platform.lake import Lake, Window
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform.settings import Settings
from stdm_platform_tests.session_objects import SESSION_DMOS

END = date(2026, 1, 16)
DAYS = [END - timedelta(days=back) for back in (2, 1, 0)]
NOW = datetime.combine(END + timedelta(days=2), time(), UTC)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    options = SandboxOptions(
        tmp_path_factory.mktemp("org"),
        days=3,
        sessions_per_day=30,
        end=END,
        chunk_rows=150,
        page_bytes=40_000,
    )
    with running(options) as handle:
        yield handle


@pytest.fixture(autouse=True)
def undisturbed(org: SandboxHandle) -> Iterator[None]:
    yield
    org.clear_faults()


def client(org: SandboxHandle, transport: str = "arrow") -> Data360:
    given = {name.removeprefix("STDM_").lower(): value for name, value in org.env.items()}
    settings = Settings(**{**given, "transport": transport})
    return Data360(Connection.from_settings(settings), sleep=lambda seconds: None)


def extract(org: SandboxHandle, lake: Lake, transport: str = "arrow") -> list[DayOutcome]:
    with client(org, transport) as asked:
        return extract_range(asked, lake, SESSION_DMOS, windows_of_days(DAYS, NOW), now=NOW)


def checksums(lake: Lake) -> dict[tuple[str, date], tuple[int, str]]:
    """Rows and order-independent checksum of each DMO and day."""
    found = {}
    for dmo in SESSION_DMOS:
        for day in lake.days(dmo.name):
            (file,) = lake.windows(dmo.name, day)
            found[dmo.name, day] = (file.evidence().rows, file.evidence().checksum)
    return found


@pytest.fixture(scope="module")
def undisturbed_rows(
    org: SandboxHandle, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, date], tuple[int, str]]:
    lake = Lake(tmp_path_factory.mktemp("undisturbed"))
    outcomes = extract(org, lake)
    assert {outcome.status for outcome in outcomes} == {"published"}
    return checksums(lake)


def test_the_lake_holds_what_the_org_counts_per_dmo_and_day(
    org: SandboxHandle, undisturbed_rows: dict[tuple[str, date], tuple[int, str]]
) -> None:
    with client(org) as asked:
        for dmo in SESSION_DMOS:
            shape = look(asked, dmo)
            assert shape is not None
            for day in DAYS:
                counted = count_rows(asked, shape, Window.of_day(day))
                assert undisturbed_rows[dmo.name, day][0] == counted > 0
    assert [undisturbed_rows["sessions", day][0] for day in DAYS] == [30] * 3


def test_both_transports_give_the_same_lake_rows(
    org: SandboxHandle,
    tmp_path: Path,
    undisturbed_rows: dict[tuple[str, date], tuple[int, str]],
) -> None:
    lake = Lake(tmp_path)
    outcomes = extract(org, lake, "json")
    assert {o.status for o in outcomes} == {"published"}, [o.describe() for o in outcomes]
    assert {o.files[0].evidence().readings[0].transport for o in outcomes} == {"json"}
    assert checksums(lake) == undisturbed_rows


def test_no_unseen_value_is_reported_on_sandbox_rows(org: SandboxHandle, tmp_path: Path) -> None:
    for outcome in extract(org, Lake(tmp_path)):
        assert outcome.verdict is not None
        assert outcome.verdict.unseen == {}


def test_no_two_texts_are_equal(org: SandboxHandle, tmp_path: Path) -> None:
    org.sql_log(clear=True)
    for run in ("a", "b"):
        extract(org, Lake(tmp_path / run))
    texts = [entry["sql"] for entry in org.sql_log() if "CAST(?" in entry["sql"]]
    assert len(texts) == len(set(texts)) == 2 * len(SESSION_DMOS) * len(DAYS)


TRANSIENT = [
    "rate_limit_seconds",
    "rate_limit_date",
    "server_error",
    "unavailable_html",
    "reset",
    "cut",
    "running",
    "short_page",
    "empty_first_chunk",
]


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_transient_faults_change_nothing(
    org: SandboxHandle,
    tmp_path: Path,
    transport: str,
    undisturbed_rows: dict[tuple[str, date], tuple[int, str]],
) -> None:
    org.set_faults({"share": 0.33, "faults": [{"kind": kind} for kind in TRANSIENT]})
    for number in range(5):  # which faults are drawn depends on the order of requests
        lake = Lake(tmp_path / str(number))
        outcomes = extract(org, lake, transport)
        assert {o.status for o in outcomes} == {"published"}, [o.describe() for o in outcomes]
        assert checksums(lake) == undisturbed_rows
        if len(org.served()) >= len(TRANSIENT) - 1:
            return
    raise AssertionError(org.served())


@pytest.mark.parametrize(("transport", "on"), [("arrow", "v3.chunk"), ("json", "connect.rows")])
def test_a_lost_query_starts_its_window_again(
    org: SandboxHandle,
    tmp_path: Path,
    transport: str,
    on: str,
    undisturbed_rows: dict[tuple[str, date], tuple[int, str]],
) -> None:
    org.set_faults([{"kind": "query_lost", "on": on, "times": 2}])
    lake = Lake(tmp_path)
    outcomes = extract(org, lake, transport)
    assert {o.status for o in outcomes} == {"published"}, [o.describe() for o in outcomes]
    assert org.served() == {"query_lost": 2}
    assert checksums(lake) == undisturbed_rows


def test_rows_that_never_add_up_fail_their_day_and_leave_it(
    org: SandboxHandle, tmp_path: Path
) -> None:
    lake = Lake(tmp_path)
    extract(org, lake)
    before = checksums(lake)
    org.set_faults([{"kind": "wrong_row_count", "on": "v3.submit", "permanent": True}])
    outcomes = extract(org, lake)
    assert {o.status for o in outcomes} == {"failed"}
    assert "steps of 2026-01-15: " in str(
        next(o.error for o in outcomes if (o.dmo.name, o.day) == ("steps", DAYS[1]))
    )
    assert checksums(lake) == before


def test_what_the_user_may_not_read_ends_the_run_and_names_it(
    org: SandboxHandle, tmp_path: Path
) -> None:
    org.set_faults([{"kind": "forbidden", "on": "v3.submit", "permanent": True}])
    with pytest.raises(
        PermissionDeniedError, match=r"\w+ \(ssot__\w+\) of 2026-01-14 to 2026-01-16"
    ):
        extract(org, Lake(tmp_path))


def test_an_org_of_the_newer_family_without_moments_and_with_drift(tmp_path: Path) -> None:
    options = SandboxOptions(
        tmp_path / "org",
        days=1,
        sessions_per_day=10,
        end=END,
        family="std",
        hide_objects=("moments",),
        hide_columns=("sessions.variable_text", "steps.attribute_text"),
        column_types={"messages.sent_at": "Varchar"},
    )
    with running(options) as org:
        outcomes = {o.dmo.name: o for o in extract(org, Lake(tmp_path / "lake")) if o.day == END}
        assert {o.status for o in outcomes.values()} == {"published", "absent", "refused"}
        assert outcomes["moments"].status == "absent"
        assert outcomes["sessions"].absent_columns == ("std__VariableText__c",)
        assert outcomes["steps"].absent_columns == ("std__AttributeText__c",)
        assert outcomes["messages"].status == "refused"
        assert "std__MessageSentTimestamp__c" in outcomes["messages"].describe()
        assert "Varchar instead of timestamp" in outcomes["messages"].describe()


@pytest.mark.parametrize("transport", ["arrow", "json"])
@pytest.mark.parametrize(
    ("column", "served"),
    [
        ("started_at", "VARCHAR"),
        ("started_at", "DATE"),
        ("ended_at", "VARCHAR"),
        ("kq_session_id", "DOUBLE"),
    ],
)
def test_a_column_of_another_type_refuses_the_days_and_keeps_the_old_ones(
    org: SandboxHandle, tmp_path: Path, column: str, served: str, transport: str
) -> None:
    lake, windows = Lake(tmp_path), windows_of_days(DAYS, NOW)
    sessions = SESSION_DMOS[0]
    with client(org, transport) as asked:
        extract_range(asked, lake, [sessions], windows, now=NOW)
        before = checksums(lake)
        org.change_settings(column_types={f"sessions.{column}": served})
        try:
            outcomes = extract_range(asked, lake, [sessions], windows, now=NOW)
        finally:
            org.change_settings(column_types={})
    for outcome in outcomes:
        assert outcome.verdict is not None, outcome.describe()
        (failure,) = outcome.verdict.failures
        assert (outcome.status, failure.check) == ("refused", "column_type")
        assert (failure.column, failure.count) == (sessions[column].source, 30)
        assert f"sessions of {outcome.day}: {failure.column}: 30 rows" in outcome.describe()
    assert checksums(lake) == before


def test_a_killed_extraction_run_again_gives_the_undisturbed_rows(
    org: SandboxHandle,
    tmp_path: Path,
    undisturbed_rows: dict[tuple[str, date], tuple[int, str]],
) -> None:
    org.set_faults([{"kind": "running", "every": 4}])
    command = [sys.executable, "-c", KILLED, str(tmp_path), NOW.isoformat()]
    command += [day.isoformat() for day in DAYS]
    for delay in (0.3, 0.6, 1.0):
        process = subprocess.Popen(command, env={**os.environ, **org.env}, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        sleep(delay)
        process.kill()
        process.communicate()
    outcomes = extract(org, Lake(tmp_path))
    assert {o.status for o in outcomes} <= {"published", "kept"}
    assert checksums(Lake(tmp_path)) == undisturbed_rows
    assert not [path for path in (tmp_path / "staging").iterdir() if path.is_dir()]


KILLED = """
import sys
from datetime import date, datetime
from pathlib import Path
from stdm_platform.catalog import SESSION_DMOS
from stdm_platform.data360 import Connection, Data360
from stdm_platform.extraction import extract_range, windows_of_days
from stdm_platform.lake import Lake
from stdm_platform.settings import load_settings

now = datetime.fromisoformat(sys.argv[2])
windows = windows_of_days([date.fromisoformat(day) for day in sys.argv[3:]], now)
with Data360(Connection.from_settings(load_settings())) as org:
    print("begun", flush=True)
    extract_range(org, Lake(Path(sys.argv[1])), SESSION_DMOS, windows, now=now)
"""
