"""`stdm verify`: hold source, lake and marts against each other, and show where they differ.

Belongs here: flags, progress, the table, exit codes. Does not: counting or comparing (`extraction`,
`marts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from stdm_platform.cli.differences import (
    SESSIONS,
    Report,
    merged,
    say_summary,
    show_findings,
)
from stdm_platform.cli.extracting import WINDOWS
from stdm_platform.cli.options import (
    DataDir,
    DryRun,
    Form,
    Now,
    Org,
    Tables,
    clock,
    settings_for,
)
from stdm_platform.cli.output import Format, say, show_table, show_text
from stdm_platform.cli.progress import progress_bar
from stdm_platform.cli.tables import dmos_of
from stdm_platform.errors import NotExtractedError

if TYPE_CHECKING:
    from datetime import datetime

    from stdm_platform.catalog import Dmo
    from stdm_platform.extraction import DayCheck, Finding, Span, Verified
    from stdm_platform.extraction.verification import DayToVerify
    from stdm_platform.lake import Lake
    from stdm_platform.settings import Settings


def verify(
    org: Org = None,
    data_dir: DataDir = None,
    since: Annotated[
        str | None,
        typer.Option(help="Ask again for all held windows that touch the range.", metavar="DATE"),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="End of the range, not included.", metavar="DATE")
    ] = None,
    table: Tables = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Show the tables and days that are equal, too.")
    ] = False,
    dry_run: DryRun = False,
    now: Now = None,
    form: Form = Format.table,
) -> None:
    """Count again: source against lake against marts, per table and UTC day.

    Whole windows that the lake holds are asked for, whatever the clock: those not verified yet, or
    with --since or --until all that lie in or touch the range. Each row is billed once. Compared are
    rows, keys and the totals of each column, so a rewritten row is found, unless a text of the same
    length took another's place; and rows of the org that have no time at all. What is equal is noted in verified/, which you may delete.

    Marts are compared unless --table leaves out sessions. Ends with 0 if all is equal, with 1 if rows
    of the report differ; each names its reason and the command that mends it.

    Example: stdm verify --since 2026-01-08 --until 2026-01-15
    """
    from stdm_platform.extraction import Span, Verified, bounds, days_to_verify
    from stdm_platform.lake import Lake

    settings, instant = settings_for(org, data_dir), clock(now)
    span = Span(*bounds(since, until))
    dmos = dmos_of(settings, table)
    lake = Lake(settings.absolute_data_dir())
    if not any(lake.days(dmo.name) or lake.refused_days(dmo.name) for dmo in dmos):
        raise NotExtractedError(
            f"Nothing of {', '.join(dmo.name for dmo in dmos)} was ever extracted into {lake.data_dir}.",
            action="Run `stdm extract --days 7` first.",
        )
    verified = Verified(lake.data_dir)
    wanted = days_to_verify(lake, dmos, span, verified)
    if dry_run:
        _show_dry_run(lake, wanted, settings.text, instant)
        return
    _say_cost(lake, wanted, instant)
    report = Report()
    report.checks, report.clockless = _asked(lake, wanted, verified, settings)
    report.findings += _of_source(lake, report.checks, settings, instant)
    report.findings += _of_refusals(lake, dmos, span)
    if any(dmo.name == SESSIONS for dmo in dmos):
        _hold_marts(lake, span, verified, report)
    report.findings = merged(report.findings)
    show_findings(report, dmos, all_rows=all_rows, form=form)
    say_summary(report)
    if report.errors:
        raise report.errors[0]
    if report.differing or any(report.clockless.values()):
        raise typer.Exit(1)


def _asked(
    lake: Lake, wanted: Sequence[DayToVerify], verified: Verified, settings: Settings
) -> tuple[list[DayCheck], dict[Dmo, int]]:
    from stdm_platform.data360 import Connection, Data360
    from stdm_platform.extraction import rows_without_clock, verify_days

    checks = []
    with (
        Data360(Connection.from_settings(settings)) as client,
        progress_bar("verifying", len(wanted)) as advance,
    ):
        for check in verify_days(client, lake, wanted, verified, text=settings.text):
            advance(place=f"{check.dmo.name} {check.day}")
            checks.append(check)
        clockless = rows_without_clock(client, {each.dmo: None for each in wanted})
    return checks, clockless


def _of_source(
    lake: Lake, checks: Iterable[DayCheck], settings: Settings, now: datetime
) -> Iterator[Finding]:
    from stdm_platform.extraction import finding_of, first_day, next_reading, plan_now

    compared = [each for each in checks if each.error is None and not each.is_absent]
    differing = {each.dmo.name: each.dmo for each in compared if each.differing}
    start = first_day(lake, settings, now)
    plan = plan_now(lake, start=start, now=now, dmos=differing.values())
    for check in compared:
        yield finding_of(check, now, partial(next_reading, lake, plan.timings, check.dmo))


def _of_refusals(lake: Lake, dmos: Iterable[Dmo], span: Span) -> Iterator[Finding]:
    from stdm_platform.extraction import refusals_of_day
    from stdm_platform.lake import Window

    for dmo in dmos:
        for day in lake.refused_days(dmo.name):
            if span.touches(Window.of_day(day)):
                yield from refusals_of_day(lake, dmo.name, day)


def _hold_marts(lake: Lake, span: Span, verified: Verified, report: Report) -> None:
    from stdm_platform.marts import MartStore, mart_days, older_marts, verify_mart_day

    store = MartStore(lake.data_dir)
    if store.current() is None:
        say("No marts were published yet: only source and lake were compared.")
        return
    days = mart_days(lake, store, span, verified)
    report.findings += older_marts(lake, store, days)
    with progress_bar("comparing marts", len(days.to_compare)) as advance:
        for file in days.to_compare:
            found = verify_mart_day(lake, store, file, verified)
            report.findings += found
            report.mart_days += bool(found)
            report.skipped_marts += not found
            advance(place=f"marts {file.day}")


def _say_cost(lake: Lake, wanted: Sequence[DayToVerify], now: datetime) -> None:
    """A first verification counts all that is held: say so before it is billed."""
    from stdm_platform.extraction import counting_of

    if wanted:
        cost = counting_of(lake, wanted, now=now).rows_processed
        say(f"Counting {len(wanted)} tables and days; about {cost:,} rows will be processed.")


def _show_dry_run(lake: Lake, wanted: Sequence[DayToVerify], text: str, now: datetime) -> None:
    from stdm_platform.extraction import counting_of, expected_shape, figures_query

    plan = counting_of(lake, wanted, now=now)
    rows = [
        (each.dmo, each.window.start, each.window.end, each.reason, each.rows_processed)
        for each in plan.due
    ]
    show_table(pl.DataFrame(rows, schema=WINDOWS, orient="row"), title="Windows to count")
    for name, first in {each.dmo.name: each for each in reversed(wanted)}.items():
        sql, parameters = figures_query(
            expected_shape(first.dmo), first.stretches()[0], text=text, nonce=0
        )
        values = ", ".join(repr(parameter.value) for parameter in parameters)
        show_text(f"-- {name}, ? = {values} for the first query\n{sql};\n")
    say(
        f"Nothing was asked. {len(plan.due)} queries, about {plan.rows_processed:,} rows processed. "
        "Names are those of the catalog; the org may spell them otherwise."
    )
