"""Lakes of other catalogs, made from the kept one: lacking a column, older, with another type."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stdm_platform.catalog import CATALOG_VERSION, dmo
from stdm_platform.errors import OtherCatalogError
from stdm_platform.extraction import expected_shape, status_of
from stdm_platform.extraction.day_verification import verify_day
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, Window, WindowFile, checksum_of_file
from stdm_platform.marts import MartStore, build_marts
from stdm_platform.settings import Settings
from stdm_platform_tests.earlier_lakes.test_earlier_lakes import HERE, NOW, START
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import extract, rows_of
from stdm_platform_tests.lake import days
from stdm_platform_tests.parsed import lend_parse

SESSIONS = dmo("sessions")
FIRST, SECOND = date(2026, 11, 17), date(2026, 11, 18)
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    shutil.copytree(HERE / "2026_11_21" / "lake", tmp_path / "lake")
    return Lake(lend_parse(tmp_path))


def rewritten(file: WindowFile, change: Change, version: str) -> None:
    """The file as another catalog would have written it."""
    table = pq.read_table(file.path, partitioning=None)
    footer = dict(pq.read_metadata(file.path).metadata)
    changed = change(table)
    pq.write_table(changed.replace_schema_metadata(None), file.path)
    footer[b"stdm.catalog_version"] = version.encode()
    footer[b"stdm.checksum"] = checksum_of_file(file.path).encode()
    kept = {key: value for key, value in footer.items() if key.startswith(b"stdm.")}
    pq.write_table(changed.replace_schema_metadata(kept), file.path)


def without(name: str) -> Change:
    return lambda table: table.drop_columns([name])


def as_type(name: str, kind: pa.DataType) -> Change:
    def change(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(name)
        return table.set_column(place, name, table.column(name).cast(kind))

    return change


def alike(table: pa.Table) -> pa.Table:
    return table


def age(lake: Lake, day: date, change: Change, version: str = "0", name: str = "sessions") -> None:
    for file in lake.windows(name, day):
        rewritten(file, change, version)


def built(lake: Lake) -> pl.DataFrame:
    store = MartStore(lake.data_dir)
    build_marts(lake, store, lake.days("sessions"), Settings())
    with store.connect() as marts:
        found = marts.execute("select * from session_summary order by all").to_arrow_table()
    return pl.DataFrame(found)


def everything(lake: Lake) -> pl.DataFrame:
    with lake.temporary_snapshot(["sessions"]) as snapshot:
        return snapshot.scan("sessions").sort("session_id").collect()


def odd_order(table: pa.Table) -> pa.Table:
    table = table.select(table.column_names[::-1])
    return table.append_column("dropped_since", pa.array(["x"] * table.num_rows))


def test_columns_are_found_by_name_and_unknown_ones_are_left_out(lake: Lake) -> None:
    expected = everything(lake)
    age(lake, FIRST, odd_order)
    assert everything(lake).equals(expected)


def test_a_column_that_a_file_lacks_is_null_in_snapshot_and_marts(lake: Lake) -> None:
    age(lake, FIRST, lambda table: odd_order(without("channel_type")(table)))
    held = everything(lake).group_by("date").agg(pl.col("channel_type").count())
    values = dict(held.iter_rows())
    assert values[FIRST] == 0
    assert values[SECOND] > 0
    summary = built(lake)
    by_day = summary.group_by("session_date").agg(pl.col("channel").n_unique())
    assert summary.height == 12
    assert dict(by_day.iter_rows())[FIRST] == 1


def test_the_status_counts_windows_per_version_of_the_catalog(lake: Lake) -> None:
    age(lake, FIRST, alike)
    (found,) = status_of(lake, start=START, now=NOW, dmos=[SESSIONS])
    windows = len(lake.held("sessions"))
    assert found.catalog_versions == {"0": 1, CATALOG_VERSION: windows - 1}


def test_a_reading_brings_a_day_up_to_the_present_catalog(lake: Lake) -> None:
    age(lake, FIRST, as_type("started_at", pa.string()))
    org = FakeOrg()
    org.org_id = lake.evidence_of_day("sessions", FIRST)[0][1].org_id  # type: ignore[misc]
    org.put(SESSIONS, rows_of(SESSIONS, [FIRST]))
    (outcome,) = extract(org, lake, days=[FIRST], now=NOW)
    assert outcome.status == "published", outcome.describe()
    (found,) = status_of(lake, start=START, now=NOW, dmos=[SESSIONS])
    assert set(found.catalog_versions) == {CATALOG_VERSION}
    with lake.temporary_snapshot(["sessions"], [FIRST]) as snapshot:
        assert snapshot.scan("sessions").collect().height == 5


COMMAND = "Read them again: stdm extract --table sessions --since 2026-11-17 --until 2026-11-19."


@pytest.mark.parametrize(
    ("name", "kind"),
    [("started_at", pa.string()), ("started_at", pa.timestamp("us")), ("session_id", pa.binary())],
)
def test_a_column_of_another_type_is_refused_with_the_command_to_run(
    lake: Lake, name: str, kind: pa.DataType
) -> None:
    for day in (FIRST, SECOND):
        age(lake, day, as_type(name, kind))
    wanted = r"sessions of 2026-11-17: 2 days were written by another version of the catalog: "
    with pytest.raises(OtherCatalogError, match=wanted) as raised:
        lake.snapshot(["sessions"], None, lake.data_dir / "snapshots" / "all")
    assert f"{name} is held as {kind}" in raised.value.message
    assert raised.value.action == COMMAND
    assert not (lake.data_dir / "snapshots" / "all").exists()
    lake.footers.save()
    with pytest.raises(OtherCatalogError):
        built(Lake(lake.data_dir))  # with the footers from the cache
    with Lake(lake.data_dir).temporary_snapshot(["sessions"], [date(2026, 11, 19)]) as other_day:
        assert other_day.files


def test_verify_names_the_command_too(lake: Lake) -> None:
    age(lake, FIRST, as_type("started_at", pa.string()))
    org = FakeOrg()
    org.put(SESSIONS, [])
    with pytest.raises(OtherCatalogError, match="--since 2026-11-17 --until 2026-11-18"):
        verify_day(org, lake, expected_shape(SESSIONS), [Window.of_day(FIRST)])


def test_a_window_beside_one_of_another_catalog_is_published(tmp_path: Path) -> None:
    """Else a day of several windows could never be brought up to date."""
    lake = Lake(tmp_path)
    for start in (0, 12):
        file = days.published(lake, days.hours(start, start + 12), [days.rows(2, f"k{start}")])
        rewritten(file, as_type("session_id", pa.large_binary()), "0")
    org = FakeOrg()
    org.org_id = days.ORG  # type: ignore[misc]
    org.put(SESSIONS, rows_of(SESSIONS, [days.DAY]))
    halves = [days.hours(0, 12), days.hours(12, 24)]
    (outcome,) = extract(org, lake, windows=halves, now=datetime(2026, 2, 1, tzinfo=UTC))
    assert outcome.status == "published", outcome.describe()
    assert {said.catalog_version for _, said in lake.evidence_of_day("sessions", days.DAY)} == {
        CATALOG_VERSION
    }


def test_a_tree_of_another_catalog_is_refused_with_its_command(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with lake.stage_tree() as staged:
        file, _ = staged.begin(SESSIONS)
        file.write(days.rows(1, "s"))
        staged.finish(SESSIONS, [days.reading()], (), Verdict("sessions", None, 1))
        staged.seal(org_id=days.ORG, read_at=days.READ_AT, sessions=["s0"], absent=[])
        reading = lake.publish_tree(staged)
    path = reading.path_of("sessions")
    table = pq.read_table(path)
    changed = as_type("started_at", pa.string())(table)
    pq.write_table(changed.replace_schema_metadata(pq.read_metadata(path).metadata), path)
    tree = lake.tree("s0")
    assert tree is not None
    with pytest.raises(OtherCatalogError, match="stdm extract-tree --session-id s0"):
        tree.scan("sessions")
