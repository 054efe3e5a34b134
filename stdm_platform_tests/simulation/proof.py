"""What has to hold of a lake and of what an org was asked; each failure names DMO, day and keys.

Belongs here: the checks. They read Parquet files and names by themselves, without the platform's own
readers, plans or marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from stdm_platform.catalog import Dmo
from stdm_platform_tests.simulation.landing import DAY, World
from stdm_platform_tests.simulation.org import Asked, SimulatedOrg

MOST_CALM, MOST_ROUGH = 6, 8
"""Rows processed by the org over rows held, without faults and with (issue 3)."""

SHOWN = 3


def differences(dmo: Dmo, held: pl.DataFrame, source: pl.DataFrame) -> list[str]:
    """Keys that lack, that are too many or that say something else, by day of the source's clock."""
    found = []
    wanted, got = (_in_order(dmo, each) for each in (source, held))
    twice = got.filter(pl.col(dmo.key).is_duplicated())
    sides = {
        "lack in the lake": wanted.join(got, on=dmo.key, how="anti"),
        "are not in the source": got.join(wanted, on=dmo.key, how="anti"),
        "stand twice in the lake": twice,
        "say something else": wanted.join(
            got, on=list(wanted.columns), how="anti", nulls_equal=True
        ).join(got, on=dmo.key, how="semi"),
    }
    for said, rows in sides.items():
        days = rows.group_by(pl.col(dmo.clock).dt.date().alias("day")).agg(pl.col(dmo.key))
        for day, keys in days.sort("day").iter_rows():
            found.append(f"{dmo.name} of {day}: {len(keys)} rows {said}: {sorted(keys)[:SHOWN]}")
    return found


def held_rows(data_dir: Path, dmo: Dmo) -> pl.DataFrame:
    """All rows of a DMO as its files hold them, each checked to lie in the folder of its day."""
    frames = []
    for path in sorted((data_dir / "lake" / dmo.name).glob("date=*/*.parquet")):
        frame = pl.read_parquet(path, hive_partitioning=False)
        day = date.fromisoformat(path.parent.name.removeprefix("date="))
        strangers = frame.filter(pl.col(dmo.clock).dt.date() != day)
        assert strangers.is_empty(), f"{path} holds rows of other days: {strangers[dmo.key]}"
        frames.append(frame)
    return pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(dmo.column_names))


def assert_is_the_source(
    data_dir: Path, sources: Mapping[str, pl.DataFrame], dmos: Iterable[Dmo]
) -> None:
    found = [
        line
        for dmo in dmos
        for line in differences(dmo, held_rows(data_dir, dmo), sources[dmo.name])
    ]
    assert not found, "\n".join(found)


def assert_is_current(data_dir: Path, world: World, dmos: Iterable[Dmo], within: timedelta) -> None:
    """Once all ticks up to a mark were made: what landed before that mark is held, as it reads since.

    A row whose clock was rewritten may still stand under its old day too.
    """
    found = []
    for dmo in dmos:
        early = world.early(dmo.name, dmo.clock, within)
        held = held_rows(data_dir, dmo).join(
            early, on=list(dmo.column_names), how="semi", nulls_equal=True
        )
        found += differences(dmo, held, early)
    assert not found, "\n".join(found)


def assert_each_day_is_one_settled_window(
    data_dir: Path, days: Iterable[date], dmos: Iterable[Dmo]
) -> None:
    wanted = list(days)
    for dmo in dmos:
        for day in wanted:
            names = [path.name for path in _folder(data_dir, dmo.name, day).iterdir()]
            start, end = f"{day:%Y%m%d}T000000000Z", f"{day + DAY:%Y%m%d}T000000000Z"
            whole = [n for n in names if n.startswith(f"{start}_{end}_") and "_settled_" in n]
            assert names == whole, f"{dmo.name} of {day}: {names}"
            assert len(names) == 1, f"{dmo.name} of {day}: {names}"


def assert_nothing_is_left_over(data_dir: Path) -> None:
    """No refused file, and nothing half-built: what a killed run left, a later one swept."""
    for name in ("refused", "trees", "quarantine", "staging"):
        folder = data_dir / name
        left = sorted(folder.rglob("*")) if folder.exists() else []
        assert not left, f"left in {name}: {left}"


def ratios(org: SimulatedOrg, data_dir: Path) -> dict[str, float]:
    """Rows processed by the org over rows held, by DMO."""
    processed = org.processed()
    return {dmo.name: processed[dmo.name] / held_rows(data_dir, dmo).height for dmo in org.dmos}


def assert_costs_at_most(org: SimulatedOrg, data_dir: Path, most: float) -> None:
    found = {name: round(ratio, 2) for name, ratio in ratios(org, data_dir).items()}
    assert max(found.values()) <= most, f"rows processed over rows held: {found}, not {most}"


def assert_nothing_was_read_that_must_not_be(org: SimulatedOrg) -> None:
    assert not org.broken, "\n".join(org.broken)


def watch_settled_ground(org: SimulatedOrg, data_dir: Path) -> None:
    """Note each query for ground that the lake holds settled when the query is made."""

    def watch(asked: Asked) -> None:
        folder = _folder(data_dir, asked.dmo, asked.window.day)
        for path in folder.iterdir() if folder.exists() else ():
            start, end, _, state, _ = path.stem.split("_")
            if state == "settled" and _overlaps(asked, start, end):
                org.broken.append(
                    f"{asked.dmo} {asked.window} was read and is settled: {path.name}"
                )

    org.watch = watch


def _overlaps(asked: Asked, start: str, end: str) -> bool:
    return _instant(start) < asked.window.end and asked.window.start < _instant(end)


def _instant(text: str) -> datetime:
    return datetime.strptime(text[:15] + "+0000", "%Y%m%dT%H%M%S%z")


def _folder(data_dir: Path, name: str, day: date) -> Path:
    return data_dir / "lake" / name / f"date={day}"


def _in_order(dmo: Dmo, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(dmo.column_names).sort(dmo.key)
