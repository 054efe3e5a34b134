"""`stdm extract-incremental` and `stdm status`: one tick, and how current the lake is.

Belongs here: flags and tables. Does not: the plan, extraction, marts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from stdm_platform.cli.extracting import (
    closing_table,
    progress_of,
    raise_what_failed,
    say_what_is_unusual,
    show_dry_run,
)
from stdm_platform.cli.options import (
    DataDir,
    DryRun,
    Form,
    Now,
    Org,
    OutputDir,
    clock,
    settings_for,
)
from stdm_platform.cli.output import Format, errors_console, say, show
from stdm_platform.cli.tables import dmos_of

if TYPE_CHECKING:
    from stdm_platform.extraction import DayOutcome, DmoStatus, Plan
    from stdm_platform.lake import Lake
    from stdm_platform.settings import Settings

STATUS = pl.Schema(
    {
        "table": pl.String(),
        "frontier": pl.Datetime("ms", "UTC"),
        "watermark": pl.Datetime("ms", "UTC"),
        "settled_share": pl.Float64(),
        "verified_share": pl.Float64(),
        "age_hours": pl.Float64(),
        "days": pl.Int64(),
        "rows": pl.Int64(),
        "quarantined": pl.Int64(),
        "windows_by_catalog": pl.String(),
        "readings": pl.Int64(),
        "rows_processed": pl.Int64(),
        "refused_days": pl.Int64(),
        "mart_days_due": pl.Int64(),
    }
)


def extract_incremental(
    org: Org = None, data_dir: OutputDir = None, dry_run: DryRun = False, now: Now = None
) -> None:
    """One tick: read what is due now, and build the marts of the session days that changed.

    Due are new ground since the last tick, holes since STDM_START_DATE, and held windows again 1 h,
    24 h, 72 h and 7 days after their end, because rows land late and are rewritten. Run it every
    hour, or let the sensor of `stdm dev` do it: both read each window once.

    Example: stdm extract-incremental --dry-run
    """
    from stdm_platform.extraction import first_day, plan_now
    from stdm_platform.lake import Lake

    settings, instant = settings_for(org, data_dir), clock(now)
    lake = Lake(settings.absolute_data_dir())
    start = first_day(lake, settings, instant, keep=not dry_run)
    dmos = dmos_of(settings)
    plan = plan_now(lake, start=start, now=instant, dmos=dmos, budget=settings.daily_row_budget)
    for note in plan.notes:
        say(note)
    if dry_run:
        show_dry_run(plan, dmos, settings.text)
        return
    outcomes = _read(lake, plan, settings) if plan.due else []
    if outcomes:
        show(closing_table(outcomes, _reasons(plan)), Format.table, title="Extracted")
        say_what_is_unusual(lake, outcomes)
    elif not plan.waiting:
        say(f"No window is due at {instant:%Y-%m-%d %H:%M} UTC; the first day to hold is {start}.")
    _build_marts(lake, settings)
    raise_what_failed(outcomes)


def status(
    org: Org = None, data_dir: DataDir = None, now: Now = None, form: Form = Format.table
) -> None:
    """How current and how final the lake is, and what it has cost so far; asks the lake only.

    All before the watermark is final. settled_share is of the time since the first day to hold,
    quarantined are rows kept aside, windows_by_catalog counts windows per version of the catalog,
    verified_share is of the held time, as `stdm verify` found it equal to the source,
    age_hours is from the newest ground held to now, rows_processed is what the org billed for all
    readings, and mart_days_due, alike in all rows, are session days whose marts are to be built.

    Example: stdm status --format json
    """
    from stdm_platform.extraction import first_day, status_of
    from stdm_platform.lake import Lake
    from stdm_platform.marts import MartStore, session_days_due

    settings, instant = settings_for(org, data_dir), clock(now)
    lake = Lake(settings.absolute_data_dir())
    start = first_day(lake, settings, instant)
    found = status_of(lake, start=start, now=instant, dmos=dmos_of(settings))
    due = len(session_days_due(lake, MartStore(lake.data_dir)))
    rows = [
        (
            each.dmo, each.frontier, each.watermark, round(each.settled_share, 4),
            None if each.verified_share is None else round(each.verified_share, 4),
            None if each.age is None else round(each.age / timedelta(hours=1), 2),
            each.days, each.rows, each.quarantined, _by_catalog(each.catalog_versions),
            each.readings, each.rows_processed, len(each.refused_days), due,
        )
        for each in found
    ]  # fmt: skip
    show(pl.DataFrame(rows, schema=STATUS, orient="row"), form, title=f"Held in {lake.data_dir}")
    if not any(each.days for each in found):
        say("Nothing was extracted here yet. Run stdm extract --days 7, or stdm demo.")
    for each in found:
        if each.refused_days:
            days = ", ".join(str(day) for day in each.refused_days[:5])
            say(f"{each.dmo}: {len(each.refused_days)} refused days stand, {days}; see refused/.")
        if each.quarantined:
            say(
                f"{each.dmo}: {each.quarantined} rows wait in {lake.folders.quarantine / each.dmo}."
            )
    _say_older(found)


def _say_older(found: Sequence[DmoStatus]) -> None:
    """Windows that another version of the catalog wrote stay readable; a reading brings them up."""
    from stdm_platform.catalog import CATALOG_VERSION

    older = {each.dmo: _older(each.catalog_versions, CATALOG_VERSION) for each in found}
    named = ", ".join(f"{name} {windows}" for name, windows in older.items() if windows)
    if named:
        say(
            f"Windows of another catalog than {CATALOG_VERSION}: {named}. Columns that they lack are "
            "null; stdm extract --since … --until … reads their days again."
        )


def _older(versions: Mapping[str, int], current: str) -> int:
    return sum(windows for version, windows in versions.items() if version != current)


def _by_catalog(versions: Mapping[str, int]) -> str | None:
    """Catalog version and its windows, like `2: 30, 1: 4`; null where nothing is held."""
    return ", ".join(f"{name}: {count}" for name, count in sorted(versions.items())[::-1]) or None


def _read(lake: Lake, plan: Plan, settings: Settings) -> list[DayOutcome]:
    from stdm_platform.data360 import Connection, Data360
    from stdm_platform.extraction import extract_plan

    total = sum(len(names) for names in plan.days().values())
    with (
        Data360(Connection.from_settings(settings)) as client,
        progress_of(total) as advance,
    ):
        return extract_plan(
            client,
            lake,
            plan,
            text=settings.text,
            limit=settings.quarantine_limit,
            dmos=dmos_of(settings),
            progress=advance,
        )


def _reasons(plan: Plan) -> dict[str, str]:
    """What of each object was due, like `2 new, 1 again +1 h`."""
    by_table: dict[str, Counter[str]] = {}
    for each in plan.due:
        by_table.setdefault(each.dmo, Counter())[each.reason] += 1
    return {
        name: ", ".join(f"{count} {reason}" for reason, count in counts.items())
        for name, counts in by_table.items()
    }


def _build_marts(lake: Lake, settings: Settings) -> None:
    from stdm_platform.marts import MartStore, build_marts, session_days_to_build

    store = MartStore(lake.data_dir)
    if not lake.days("sessions"):
        say("No session day is held; there are no marts to build.")
        return
    with errors_console().status("building marts …"), store.lock():  # what another built is not due
        days = session_days_to_build(lake, store)
        if days:
            build_marts(lake, store, days, settings)
    if days:
        say(f"Marts of {len(days)} session days are in {store.marts_db}")
    else:
        say("No session day has changed; the marts stay as they are.")
