"""A lake written by an earlier version stays readable, and gives the marts that it gave then."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from stdm_platform.extraction import plan_now, status_of
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build_marts
from stdm_platform.settings import Settings
from stdm_platform_tests.parsed import lend_parse
from stdm_platform_tests.session_objects import SESSION_DMOS

HERE = Path(__file__).parent
LAKES = sorted(path.parent for path in HERE.glob("*/lake"))
NOW = datetime(2026, 11, 26, 13, tzinfo=UTC)
START = date(2026, 11, 17)


@pytest.fixture(params=LAKES, ids=lambda path: path.name)
def earlier(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def lake(earlier: Path, tmp_path: Path) -> Lake:
    shutil.copytree(earlier / "lake", tmp_path / "lake")
    return Lake(lend_parse(tmp_path))


def test_an_earlier_lake_gives_the_marts_that_it_gave_then(earlier: Path, lake: Lake) -> None:
    store = MartStore(lake.data_dir)
    build_marts(lake, store, lake.days("sessions"), Settings())
    expected = sorted((earlier / "expected").glob("*.csv"))
    assert expected
    with store.connect() as marts:
        for path in expected:
            then = pl.read_csv(path, infer_schema=False)
            columns = ", ".join(then.columns)
            (text,) = marts.execute(
                f"copy (select {columns} from {path.stem} order by all) to '{lake.data_dir}/now.csv' "
                "(header, timestampformat '%Y-%m-%dT%H:%M:%S.%gZ')"
            ).fetchall()[0]
            assert text == then.height
            now = pl.read_csv(lake.data_dir / "now.csv", infer_schema=False)
            assert now.equals(then), path.stem


def test_an_earlier_lake_is_planned_from_its_own_evidence(lake: Lake) -> None:
    plan = plan_now(lake, start=START, now=NOW, budget=None, dmos=SESSION_DMOS)
    assert {(each.window.day.day, each.reason) for each in plan.due if each.reason != "new"} == {
        (18, "settle"),
        (19, "again +72 h"),
    }
    assert {each.window.day.day for each in plan.due if each.reason == "new"} == set(range(20, 27))


def test_the_status_of_an_earlier_lake_counts_its_rows_and_readings(lake: Lake) -> None:
    found = status_of(lake, start=START, now=NOW, dmos=SESSION_DMOS)
    assert {each.dmo: each.rows for each in found} == {
        "sessions": 12,
        "participants": 28,
        "interactions": 44,
        "steps": 199,
        "messages": 75,
        "moments": 8,
    }
    assert {each.readings for each in found} == {5}
    assert [each.dmo for each in found] == [dmo.name for dmo in SESSION_DMOS]
