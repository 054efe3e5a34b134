"""`stdm extract`: read a range of days into the lake, then build the marts of its session days.

Belongs here: flags, progress, the closing table. Does not: extraction or marts themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stdm_platform.cli.extracting import (
    closing_table,
    progress_of,
    raise_what_failed,
    say_what_is_unusual,
    show_dry_run,
)
from stdm_platform.cli.options import (
    Days,
    DryRun,
    Now,
    Org,
    OutputDir,
    Since,
    Tables,
    Until,
    clock,
    settings_for,
)
from stdm_platform.cli.output import Format, errors_console, say, show
from stdm_platform.cli.tables import dmos_of
from stdm_platform.cli.trees import extract_agent
from stdm_platform.errors import ArgumentError

if TYPE_CHECKING:
    from datetime import datetime

    from stdm_platform.catalog import Dmo
    from stdm_platform.extraction import DayOutcome
    from stdm_platform.lake import Lake, Window
    from stdm_platform.settings import Settings

ASK_BEYOND_DAYS = 31
"""Days of a range from which the command asks first: each row read costs credits."""


def extract(
    org: Org = None,
    data_dir: OutputDir = None,
    since: Since = None,
    until: Until = None,
    days: Days = None,
    table: Tables = None,
    agent: Annotated[
        str | None,
        typer.Option(
            help="Only whole sessions that this agent joined, into trees/.", metavar="NAME"
        ),
    ] = None,
    no_marts: Annotated[
        bool, typer.Option("--no-marts", help="Leave the marts as they are.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read again what an interrupted run had finished.")
    ] = False,
    dry_run: DryRun = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before more than 31 days.")
    ] = False,
    now: Now = None,
) -> None:
    """Read all objects of a range of UTC days into the lake, check them, and build the marts.

    The range is read whole, even where it is held already. Only the same request, interrupted less
    than a day ago, goes on where it stopped. A day that breaks its contract is refused: its old
    rows stay, the other days go on, and the command ends with 1. More than 31 days are asked for.
    With --agent no day is read: the sessions that the agent joined in the range are, each whole,
    into the overlay of `extract-tree`, and lake and marts stay as they are.

    Example: stdm extract --since 2026-01-01 --until 2026-01-15
    """
    from stdm_platform.extraction import request_of, windows_for_range
    from stdm_platform.lake import Lake

    settings = settings_for(org, data_dir)
    instant = clock(now)
    windows = windows_for_range(
        since, until, days, now=instant, start_date=settings.start_date, note=say
    )
    dmos = dmos_of(settings, table)
    _refuse_both(agent, table)
    lake = Lake(settings.absolute_data_dir())
    if not windows:
        say("The range is empty; nothing was asked for.")
        return
    if agent is not None:
        if not (yes or dry_run):
            _may_read(dmos_of(settings, ["participants"]), windows, lake, instant)
        extract_agent(
            agent, lake, start=windows[0].start, end=windows[-1].end, settings=settings, now=instant,
            again=again, dry_run=dry_run,
        )  # fmt: skip
        return
    if dry_run:
        show_dry_run(request_of(lake, dmos, windows, now=instant), dmos, settings.text)
        return
    if not yes:
        _may_read(dmos, windows, lake, instant)
    outcomes = _read(lake, dmos, windows, settings=settings, now=instant, again=again)
    show(closing_table(outcomes), Format.table, title="Extracted")
    say_what_is_unusual(lake, outcomes)
    if not no_marts:
        _build_marts(lake, outcomes, settings)
    raise_what_failed(outcomes)


def _refuse_both(agent: str | None, table: list[str] | None) -> None:
    if agent is not None and table:
        raise ArgumentError(
            "--agent reads whole sessions, so --table cannot be used with it.",
            action="Leave one of them out.",
        )


def _read(
    lake: Lake,
    dmos: Sequence[Dmo],
    windows: Sequence[Window],
    *,
    settings: Settings,
    now: datetime,
    again: bool,
) -> list[DayOutcome]:
    from stdm_platform.data360 import Connection, Data360
    from stdm_platform.extraction import extract_range

    with (
        Data360(Connection.from_settings(settings)) as client,
        progress_of(len(dmos) * len(windows)) as advance,
    ):
        return extract_range(
            client,
            lake,
            dmos,
            windows,
            now=now,
            text=settings.text,
            limit=settings.quarantine_limit,
            again=again,
            progress=advance,
        )


def _may_read(dmos: Sequence[Dmo], windows: Sequence[Window], lake: Lake, now: datetime) -> None:
    """Ask before a range that may cost much; without a terminal nobody can say yes."""
    from stdm_platform.extraction import request_of

    days = len({window.day for window in windows})
    if days <= ASK_BEYOND_DAYS:
        return
    cost = request_of(lake, dmos, windows, now=now).rows_processed
    priced = f"; about {cost:,} rows will be processed" if cost else ""
    question = f"{days} days of {len(dmos)} objects are to be read{priced}."
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ArgumentError(
            f"{question} Each row costs credits.",
            action="Give --yes to read more than 31 days, or --dry-run to see what would be asked.",
        )
    typer.confirm(f"{question} Go on?", abort=True, err=True)


def _build_marts(lake: Lake, outcomes: Sequence[DayOutcome], settings: Settings) -> None:
    from stdm_platform.marts import MartStore, build_marts, session_days_after

    blocked = {outcome.day for outcome in outcomes if outcome.status in ("refused", "failed")}
    read = {outcome.day for outcome in outcomes if outcome.status in ("published", "kept")}
    store = MartStore(lake.data_dir)
    days = session_days_after(lake, store, read, blocked=blocked)
    if not days:
        say("No session day can be built from these windows; the marts stay as they are.")
        return
    with errors_console().status(f"building the marts of {len(days)} session days …"):
        build_marts(lake, store, days, settings)
    say(f"Marts of {len(days)} session days are in {store.marts_db}")
