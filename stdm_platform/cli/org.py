"""`stdm doctor` and `stdm count`: ask the org itself.

Belongs here: flags and wording of the commands that look at the source. Does not: queries.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from stdm_platform.cli.options import (
    DataDir,
    Days,
    Form,
    Now,
    Org,
    Since,
    Tables,
    Until,
    clock,
    settings_for,
)
from stdm_platform.cli.output import Format, errors_console, say, show
from stdm_platform.cli.tables import dmos_of
from stdm_platform.errors import SourceError, StdmError

if TYPE_CHECKING:
    from stdm_platform.data360 import Data360

T = TypeVar("T")


def doctor(org: Org = None, data_dir: DataDir = None) -> None:
    """Check the way to the org step by step, and say what to do where it is blocked.

    Settings, private key, login, token exchange, a query, each object of the catalog.
    Ends with 2 if authentication fails, 1 if an object cannot be read, else 0.

    Example: STDM_LOGIN_URL=https://login.salesforce.com … stdm doctor
    """
    from stdm_platform.data360 import Connection, Data360
    from stdm_platform.extraction import look

    settings = settings_for(org, data_dir)
    connection = _step("settings and private key", lambda: Connection.from_settings(settings))
    with Data360(connection) as client:
        _step("login (JWT bearer)", client.log_in)
        say(f"  org {client.org_id}")
        if settings.transport != "json":
            _exchange(client, settings.transport)
        say(f"  transport {client.transport}")
        unreadable: SourceError | None = None
        for dmo in dmos_of(settings):
            try:
                shape = look(client, dmo)
            except SourceError as error:
                say(f"✗ {dmo.name}: {error}")
                unreadable = error
                continue
            if shape is None:
                say(f"- {dmo.name}: the org has none of {', '.join(dmo.objects)}; it is skipped.")
                continue
            absent = f", without {', '.join(shape.absent)}" if shape.absent else ""
            say(f"✓ {dmo.name}: {shape.object_name}, {len(shape.columns)} columns{absent}")
    if unreadable is not None:
        raise unreadable
    _check_data_directory(settings.absolute_data_dir(), client.org_id)
    say("All is well. Next: stdm extract --days 7")


def count(
    org: Org = None,
    data_dir: DataDir = None,
    since: Since = None,
    until: Until = None,
    days: Days = None,
    table: Tables = None,
    now: Now = None,
    form: Form = Format.table,
) -> None:
    """Count the rows that the org holds per DMO and UTC day, beside the rows in the lake.

    The lake's column is empty where the day was never extracted. Counting costs credits too.

    Example: stdm count --days 3 --table sessions
    """
    from stdm_platform.data360 import Connection, Data360
    from stdm_platform.extraction import count_rows, look, windows_for_range, windows_of
    from stdm_platform.lake import Lake

    settings = settings_for(org, data_dir)
    windows = windows_for_range(
        since, until, days, now=clock(now), start_date=settings.start_date, note=say
    )
    lake = Lake(settings.absolute_data_dir())
    rows = []
    with Data360(Connection.from_settings(settings)) as client:
        for dmo in dmos_of(settings, table):
            shape = look(client, dmo)
            if shape is None:
                say(f"{dmo.name}: the org has no such object; skipped.")
                continue
            for window in windows_of(dmo, windows, clock(now)):
                held = [file.evidence() for file in lake.windows(dmo.name, window.day)]
                rows.append(
                    {
                        "table": dmo.name,
                        "day": window.day,
                        "org_rows": count_rows(client, shape, window),
                        "lake_rows": sum(said.rows for said in held) if held else None,
                        "quarantined": sum(said.quarantined_rows for said in held)
                        if held
                        else None,
                    }
                )
    counts = dict.fromkeys(("org_rows", "lake_rows", "quarantined"), pl.Int64)
    schema = {"table": pl.String, "day": pl.Date, **counts}
    show(pl.DataFrame(rows, schema=schema), form, title="Rows per DMO and UTC day")


def _exchange(client: Data360, wish: str) -> None:
    """Exchange; a refusal is no obstacle where the client then takes the other plane by itself."""
    try:
        _step("token exchange (Data 360)", client.exchange)
    except StdmError:
        if wish == "arrow" or client.transport != "json":
            raise
        say("  going on over the Connect API, as STDM_TRANSPORT=json would")


def _step(name: str, action: Callable[[], T]) -> T:
    with errors_console().status(f"{name} …"):
        try:
            result = action()
        except StdmError as error:
            say(f"✗ {name}")
            raise error from None
    say(f"✓ {name}")
    return result


def _check_data_directory(path: Path, org_id: str) -> None:
    from stdm_platform.lake import Lake
    from stdm_platform.marts import MartStore, mend

    if path.exists() and mend(MartStore(path)):
        say(f"✓ the views of {path / 'marts.duckdb'} are mended: the directory had moved")
    held = Lake(path).org_id() if path.exists() else None
    if held is not None:
        Lake(path).claim(org_id)
    say(f"✓ data directory {path}" + ("" if held else " (empty)"))
