"""`stdm extract`: read a range of days into the lake, then build the marts of its session days.

Belongs here: flags, progress, the closing table. Does not: extraction or marts themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stdm_platform.cli.options import (
    Days,
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
from stdm_platform.cli.tables import chosen_dmos
from stdm_platform.errors import ContractError

if TYPE_CHECKING:
    from datetime import datetime

    from stdm_platform.catalog import Dmo
    from stdm_platform.data360 import Data360
    from stdm_platform.extraction import DayOutcome
    from stdm_platform.lake import Lake, Window
    from stdm_platform.settings import Settings


def extract(
    org: Org = None,
    data_dir: OutputDir = None,
    since: Since = None,
    until: Until = None,
    days: Days = None,
    table: Tables = None,
    no_marts: Annotated[
        bool, typer.Option("--no-marts", help="Leave the marts as they are.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read again what an interrupted run had finished.")
    ] = False,
    now: Now = None,
) -> None:
    """Read all objects of a range of UTC days into the lake, check them, and build the marts.

    The range is read whole, even where it is held already. Only the same request, interrupted less
    than a day ago, goes on where it stopped. A day that breaks its contract is refused: its old
    rows stay, the other days go on, and the command ends with 1.

    Example: stdm extract --since 2026-01-01 --until 2026-01-15
    """
    from stdm_platform.data360 import Connection, Data360
    from stdm_platform.extraction import windows_for_range
    from stdm_platform.lake import Lake

    settings = settings_for(org, data_dir)
    instant = clock(now)
    windows = windows_for_range(
        since, until, days, now=instant, start_date=settings.start_date, note=say
    )
    dmos = chosen_dmos(table)
    lake = Lake(settings.absolute_data_dir())
    if not windows:
        say("The range is empty; nothing was asked for.")
        return
    with Data360(Connection.from_settings(settings)) as client:
        outcomes = _with_progress(
            client, lake, dmos, windows, settings=settings, now=instant, again=again
        )
    show(_closing_table(outcomes), Format.table, title="Extracted")
    if not no_marts:
        _build_marts(lake, outcomes, settings)
    _raise_what_failed(outcomes)


def _with_progress(
    client: Data360,
    lake: Lake,
    dmos: Sequence[Dmo],
    windows: Sequence[Window],
    *,
    settings: Settings,
    now: datetime,
    again: bool,
) -> list[DayOutcome]:
    from stdm_platform.extraction import extract_range

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors_console(), transient=True) as progress:
        task = progress.add_task("extracting", total=len(dmos) * len(windows))

        def advance(outcome: DayOutcome) -> None:
            progress.update(task, advance=1, description=f"{outcome.dmo.name} {outcome.day}")

        return extract_range(
            client, lake, dmos, windows, now=now, text=settings.text, again=again, progress=advance
        )


def _build_marts(lake: Lake, outcomes: Sequence[DayOutcome], settings: Settings) -> None:
    from stdm_platform.marts import MartStore, build_marts, touched_session_days

    blocked = {outcome.day for outcome in outcomes if outcome.status in ("refused", "failed")}
    read = {outcome.day for outcome in outcomes if outcome.status in ("published", "kept")}
    store = MartStore(lake.data_dir)
    days = touched_session_days(lake, read, blocked=blocked)
    if not days:
        say("No session day can be built from these windows; the marts stay as they are.")
        return
    with errors_console().status(f"building the marts of {len(days)} session days …"):
        build_marts(lake, store, days, settings)
    say(f"Marts of {len(days)} session days are in {store.marts_db}")


def _closing_table(outcomes: Sequence[DayOutcome]) -> pl.DataFrame:
    by_table: dict[str, list[DayOutcome]] = {}
    for outcome in outcomes:
        by_table.setdefault(outcome.dmo.name, []).append(outcome)
    return pl.DataFrame(
        [
            {
                "table": name,
                "days": len(of_table),
                "rows": sum(outcome.rows for outcome in of_table),
                "rows_processed": sum(outcome.rows_processed or 0 for outcome in of_table),
                "megabytes": round(sum(outcome.bytes for outcome in of_table) / 1e6, 2),
                "status": ", ".join(
                    f"{sum(o.status == status for o in of_table)} {status}"
                    for status in sorted({outcome.status for outcome in of_table})
                ),
                "absent": ", ".join(sorted({c for o in of_table for c in o.absent_columns}))
                or None,
            }
            for name, of_table in by_table.items()
        ]
    )


def _raise_what_failed(outcomes: Sequence[DayOutcome]) -> None:
    refused = [outcome for outcome in outcomes if outcome.status == "refused"]
    failed = [outcome.error for outcome in outcomes if outcome.error is not None]
    for outcome in refused:
        say(f"refused: {outcome.describe()}")
    for error in failed:
        say(f"failed: {error}")
    if failed:
        raise failed[0]
    if refused:
        days = ", ".join(f"{outcome.dmo.name} of {outcome.day}" for outcome in refused[:5])
        raise ContractError(
            f"{len(refused)} of {len(outcomes)} days were refused ({days}); their old rows stay.",
            action="Look at refused/ in the data directory, mend the source, extract the days again.",
        )
