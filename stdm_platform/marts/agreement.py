"""Hold the published marts against the lake, session day by session day.

Belongs here: mart days that are older than the lake, and what a mart that is not must agree on with
the lake. Does not: the models (`dbt_models`), the source (`extraction`).

Counted are sessions, and the turns, messages and steps of those sessions within the child horizon:
the sums of the session summary that every other mart is tested against when it is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.extraction.discrepancy import Finding, counted
from stdm_platform.extraction.verification import Span
from stdm_platform.extraction.verified import Verified
from stdm_platform.lake import Lake, Snapshot, Window
from stdm_platform.marts.digests import (
    ONE_DAY,
    SESSIONS,
    lake_days_of,
    session_days_due,
    session_days_to_build,
    snapshot_digests,
)
from stdm_platform.marts.lake_counts import LakeCounts, lake_counts, names_needed
from stdm_platform.marts.store import Generation, MartDay, MartStore

SUMMARY = "session_summary"
BUILD = "stdm extract-incremental"
MEASURES = {
    "turn_count": ("turns", ("turn_count",)),
    "*_message_count": ("messages", ("user_message_count", "agent_message_count")),
    "step_count": ("steps", ("step_count",)),
}
"""What is compared, under the name of the summary's columns that it adds up."""


@dataclass(frozen=True)
class MartDays:
    """The session days to hold against the lake, and those whose marts are older than it."""

    to_compare: tuple[MartDay, ...] = ()
    older: tuple[date, ...] = ()
    blocked: tuple[date, ...] = ()


def mart_days(lake: Lake, store: MartStore, span: Span, verified: Verified) -> MartDays:
    """Those of the range, else those not verified; none while no marts were ever published."""
    generation = store.current()
    if generation is None:
        return MartDays()
    in_span = [day for day in lake.days(SESSIONS) if span.touches(Window.of_day(day))]
    due = set(session_days_due(lake, store)).intersection(in_span)
    to_build = set(session_days_to_build(lake, store))
    to_compare = tuple(
        file
        for file in generation.files(SUMMARY)
        if file.day in in_span
        and file.day not in due
        and not (span.is_all and verified.holds(SUMMARY, file.day, file.path))
    )
    return MartDays(to_compare, tuple(sorted(due)), tuple(sorted(due - to_build)))


def older_marts(lake: Lake, store: MartStore, days: MartDays) -> Iterator[Finding]:
    """A row for each session day whose marts are missing or were made from something else."""
    generation = store.current()
    published = {file.day: file for file in generation.files(SUMMARY)} if generation else {}
    for day in days.older:
        built = published.get(day)
        reason = "the marts are older than the lake" if built else "its marts were never built"
        if day in days.blocked:
            reason += ", and a refused reading keeps them from being built"
        yield Finding(
            SUMMARY,
            day,
            lake_rows=sum(said.rows for _, said in lake.evidence_of_day(SESSIONS, day)),
            mart_rows=_rows_in(built),
            is_difference=True,
            reason=reason,
            action=f"mend the source, then {BUILD}" if day in days.blocked else BUILD,
        )


def verify_mart_day(
    lake: Lake, store: MartStore, file: MartDay, verified: Verified
) -> list[Finding]:
    """The rows of one session day; none when the lake has changed since the days were chosen.

    A day without a difference is noted as verified.
    """
    generation = store.current()
    days = sorted({file.day - ONE_DAY, *(day for _, day in lake_days_of(file.day))})
    with lake.temporary_snapshot(names_needed(), days) as snapshot:
        if generation is None or _digest(snapshot, file.day) != file.digest:
            return []
        try:
            findings = list(_findings(lake, snapshot, generation, file))
        except (OSError, pl.exceptions.PolarsError):
            return [_unreadable(file)]
    if not any(each.is_difference for each in findings):
        verified.keep(SUMMARY, file.day, [file.path], {file.path.name})
    return findings


def _unreadable(file: MartDay) -> Finding:
    reason = "a file of the mart, or of the lake that it was made from, cannot be read"
    return Finding(SUMMARY, file.day, is_difference=True, reason=reason, action=_again(file.day))


def _rows_in(file: MartDay | None) -> int | None:
    """The rows of a published file; None when there is none that can be read."""
    try:
        return int(pq.read_metadata(file.path).num_rows) if file else None
    except (OSError, pa.ArrowException):
        return None


def _digest(snapshot: Snapshot, day: date) -> str:
    return snapshot_digests(snapshot).of(day)


def _findings(
    lake: Lake, snapshot: Snapshot, generation: Generation, file: MartDay
) -> Iterator[Finding]:
    mart = pl.read_parquet(file.path, hive_partitioning=False)
    counts = lake_counts(snapshot, file.day, mart["session_id"])
    yield _sessions(counts, generation, file, mart)
    both = mart.filter(pl.col("session_id").is_in(counts.sessions.to_list()))
    for label, (measure, columns) in MEASURES.items():
        held = counts.children[measure]
        made = sum(int(both[column].sum()) for column in columns)
        unknown = any(both[column].null_count() for column in columns)
        # What a mart does not know of every session is part of what the lake holds.
        differs = made > held if unknown else made != held
        yield Finding(
            f"{SUMMARY}.{label}",
            file.day,
            lake_rows=held,
            mart_rows=made,
            is_difference=differs,
            reason=f"the mart does not count the {measure} that the lake holds"
            if differs
            else None,
            action=_again(file.day) if differs else None,
        )
    if file.day - ONE_DAY in lake.days(SESSIONS):  # else their sessions may just not be held
        for name, orphans in counts.orphans.items():
            if orphans:
                reason = f"{counted(orphans)} without a session within a day before, so no session counts them"
                yield Finding(name, file.day, reason=reason)


def _sessions(
    counts: LakeCounts, generation: Generation, file: MartDay, mart: pl.DataFrame
) -> Finding:
    held, made = set(counts.sessions), set(mart["session_id"])
    missing = held - made
    moved = _elsewhere(generation, file.day, sorted(missing)) if missing else 0
    reasons = []
    if moved:
        reasons.append(f"{moved:,} under another day: the clock of the session was rewritten")
    if len(missing) > moved:
        reasons.append(f"{len(missing) - moved:,} missing in the mart")
    if made - held:
        reasons.append(f"{len(made - held):,} in the mart and not in the lake")
    differs = len(missing) > moved or bool(made - held)
    return Finding(
        SUMMARY,
        file.day,
        lake_rows=len(held),
        mart_rows=mart.height,
        is_difference=differs,
        reason="; ".join(reasons) or None,
        action=_again(file.day) if differs else None,
    )


def _elsewhere(generation: Generation, day: date, keys: Sequence[str]) -> int:
    """How many of these sessions the mart holds under other days."""
    others = [each.path for each in generation.files(SUMMARY) if each.day != day]
    if not others:
        return 0
    found = pl.scan_parquet(others, hive_partitioning=False).filter(
        pl.col("session_id").is_in(keys)
    )
    return int(found.select(pl.col("session_id").n_unique()).collect().item())


def _again(day: date) -> str:
    return f"stdm extract --table {SESSIONS} --since {day} --until {day + ONE_DAY}"
