"""The report of `stdm verify`: rows put together, the table, the closing lines.

Belongs here: what a user sees of findings. Does not: finding anything (`verify.py` asks for it).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from stdm_platform.cli.output import Format, say, show

if TYPE_CHECKING:
    from stdm_platform.catalog import Dmo
    from stdm_platform.errors import StdmError
    from stdm_platform.extraction import DayCheck, Finding

SESSIONS, SUMMARY = "sessions", "session_summary"
FINDINGS = pl.Schema(
    {
        "table": pl.String(),
        "day": pl.Date(),
        "source_rows": pl.Int64(),
        "lake_rows": pl.Int64(),
        "quarantined_rows": pl.Int64(),
        "mart_rows": pl.Int64(),
        "difference": pl.Int64(),
        "reason": pl.String(),
        "action": pl.String(),
    }
)


@dataclass
class Report:
    """All that one verification found.

    `clockless` are the source's rows without a clock, per DMO; `skipped_marts` are days that changed
    meanwhile.
    """

    findings: list[Finding] = field(default_factory=list)
    checks: list[DayCheck] = field(default_factory=list)
    clockless: dict[Dmo, int] = field(default_factory=dict)
    mart_days: int = 0
    skipped_marts: int = 0

    @property
    def differing(self) -> list[Finding]:
        """The rows that make the command end with 1."""
        return [each for each in self.findings if each.is_difference]

    @property
    def asked(self) -> list[DayCheck]:
        """The days that were held against the source."""
        return [each for each in self.checks if not each.is_absent and each.error is None]

    @property
    def errors(self) -> list[StdmError]:
        """Each error once: all days of an object may have met the same one."""
        return list({id(each.error): each.error for each in self.checks if each.error}.values())


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One row per table and day; sessions and their summary are one where they agree."""
    found: dict[tuple[str, date], Finding] = {}
    for each in findings:
        before = found.get((each.table, each.day))
        found[each.table, each.day] = each if before is None else _both(before, each)
    for (table, day), each in list(found.items()):
        of_lake = found.get((SESSIONS, day))
        if table != SUMMARY or each.is_difference or each.reason or of_lake is None:
            continue
        if of_lake.lake_rows == each.lake_rows:
            del found[table, day]
            found[SESSIONS, day] = replace(of_lake, mart_rows=each.mart_rows)
    return list(found.values())


def _both(one: Finding, other: Finding) -> Finding:
    reasons = [each for each in (one.reason, other.reason) if each]
    return replace(
        one,
        is_difference=one.is_difference or other.is_difference,
        reason="; ".join(reasons) or None,
        action=one.action or other.action,
    )


def show_findings(report: Report, dmos: Sequence[Dmo], *, all_rows: bool, form: Format) -> None:
    """The rows that differ, or all, by day; nothing for people when there are none."""
    order = {dmo.name: place for place, dmo in enumerate(dmos)}
    shown = report.findings if all_rows else report.differing
    shown = sorted(
        shown, key=lambda each: (each.day, order.get(each.table, len(order)), each.table)
    )
    rows = [
        (
            each.table, each.day, each.source_rows, each.lake_rows, each.quarantined_rows,
            each.mart_rows, each.difference, each.reason, each.action,
        )
        for each in shown
    ]  # fmt: skip
    if rows or form is not Format.table:
        title = "Source, lake and marts" if all_rows else "Differences"
        show(pl.DataFrame(rows, schema=FINDINGS, orient="row"), form, title=title)


def say_summary(report: Report) -> None:
    """Notes, rows that no day has, errors, and one line of what was compared, what differs and what it cost."""
    _say_notes(report)
    for dmo, rows in report.clockless.items():
        if rows:
            say(
                f"{dmo.name}: {rows:,} rows of the org have no {dmo[dmo.clock].source}, so they are of no "
                "day and held nowhere. Mend the stream that writes them."
            )
    asked = report.asked
    windows = sum(len(each.windows) for each in asked)
    processed = [each.rows_processed for each in asked if each.rows_processed is not None]
    cost = f"{sum(processed):,} rows processed" if processed or not asked else "cost not told"
    queries = sum(each.queries for each in asked)
    counted = (
        f"{windows} windows of {len(asked)} tables and days, {report.mart_days} mart days; "
        f"{queries} queries, {cost}"
    )
    differing = len(report.differing)
    if differing:
        say(f"Rows of the report that differ: {differing} ({counted}).")
    elif report.errors or any(report.clockless.values()):
        say(f"What was compared is equal ({counted}).")
    elif not report.checks and not report.mart_days:
        say("Nothing to verify: all that is held was verified; --since DATE asks again.")
    else:
        say(f"All is equal ({counted}).")


def _say_notes(report: Report) -> None:
    for dmo in {each.dmo.name: each.dmo for each in report.checks if each.is_absent}.values():
        say(f"{dmo.name}: the org has none of {', '.join(dmo.objects)}; skipped.")
    if report.skipped_marts:
        say(f"{report.skipped_marts} mart days changed while they were compared; skipped.")
    for each in report.findings:
        if not each.is_difference and each.reason:
            say(f"{each.table} of {each.day}: {each.reason}.")
    for error in report.errors:
        say(f"failed: {error}")
