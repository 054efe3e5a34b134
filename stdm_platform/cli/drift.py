"""`stdm drift`: what changed at the source, since when, what it touches, what to do.

Belongs here: flags and the table. Does not: finding drifts (`extraction`, `guard`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from stdm_platform.cli.options import DataDir, Form, Now, Org, Since, Tables, clock, settings_for
from stdm_platform.cli.output import Format, errors_console, say, show
from stdm_platform.cli.tables import dmos_of

if TYPE_CHECKING:
    from stdm_platform.guard import Drift

COLUMNS = pl.Schema(
    {
        "severity": pl.String(),
        "kind": pl.String(),
        "table": pl.String(),
        "object": pl.String(),
        "column": pl.String(),
        "old": pl.String(),
        "new": pl.String(),
        "first_day": pl.Date(),
        "marts": pl.String(),
        "action": pl.String(),
    }
)
Probe = Annotated[
    bool,
    typer.Option(
        "--probe/--no-probe",
        help="Look at the org first; no rows are read. Else only what is kept.",
    ),
]


def drift(
    org: Org = None,
    data_dir: DataDir = None,
    since: Since = None,
    table: Tables = None,
    probe: Probe = False,
    now: Now = None,
    form: Form = Format.table,
) -> None:
    """What changed at the source: columns, types, names, values; since when, and what to do.

    Without --probe it asks nobody: each extraction keeps what it sees of the org. Blocking changes
    stand first (their days are refused until they are settled), then warnings, then news. --since
    leaves out what was first seen before. Ends with 0 whatever it finds, as it only reads; a
    blocking change fails the extraction itself. 3 if nothing was ever looked at.

    Example: stdm drift --probe --since 2026-01-01
    """
    from stdm_platform.extraction import bounds, drifts_of, probe_org
    from stdm_platform.lake import Lake
    from stdm_platform.marts.lineage import marts_of_dmos

    settings, instant = settings_for(org, data_dir), clock(now)
    start, _ = bounds(since, None)
    wanted = dmos_of(settings, table)
    lake = Lake(settings.absolute_data_dir())
    if probe:
        from stdm_platform.data360 import Connection, Data360

        with (
            Data360(Connection.from_settings(settings)) as client,
            errors_console().status("looking at the org …"),
        ):
            probe_org(client, lake, instant, dmos=wanted)
    found = [
        each for each in drifts_of(lake, wanted) if start is None or each.first_day >= start.date()
    ]
    marts = marts_of_dmos(lake.data_dir) if found else {}  # may have to parse the dbt project
    show(_frame(found, marts), form, title="Changes at the source")
    _say_sum(found)


def _frame(found: Sequence[Drift], marts: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    rows = [{**each.as_dict(), "marts": ", ".join(marts.get(each.dmo, ()))} for each in found]
    return pl.DataFrame(rows, schema=COLUMNS)


def _say_sum(found: Sequence[Drift]) -> None:
    counts = {name: sum(each.severity == name for each in found) for name in ("block", "warn")}
    if counts["block"]:
        say(f"{counts['block']} of these block: days of those tables fail until they are settled.")
    elif not found:
        say("The source is as the catalog and the looks before say.")
