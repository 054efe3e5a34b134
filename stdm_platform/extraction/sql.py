"""The SQL that extraction asks, derived from the catalog.

Belongs here: the texts. Does not: sending them. Names come from the catalog or from the org's own
answer and are quoted; instants are parameters.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from stdm_platform.data360 import Parameter
from stdm_platform.extraction.shape import SourceShape, quoted
from stdm_platform.lake import Window

NONCES = 86_400_000_000


def fresh_nonce() -> int:
    """A number of microseconds within a day that was, in all likelihood, not used before."""
    return secrets.randbelow(NONCES)


def window_query(
    shape: SourceShape,
    window: Window,
    *,
    text: str = "keep",
    nonce: int,
    most: int | None = None,
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for all rows of a window, and its parameters.

    With `text="none"` the columns that hold text of conversations are left out. The `nonce` is a
    number of microseconds that was not used before; see `window_condition`. A result with more
    than `most` rows is one of more rows than were wanted, and does not hold all of them.
    """
    columns = ",\n".join(
        f"    {quoted(shape.columns[name])} AS {quoted(name)}" for name in shape.asked(text)
    )
    where, parameters = window_condition(shape, window, nonce)
    limit = "" if most is None else f"\nLIMIT {most + 1}"
    return f"SELECT\n{columns}\n{where}{limit}", parameters


def count_query(
    shape: SourceShape, window: Window, *, nonce: int
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for the number of rows of a window, and its parameters."""
    where, parameters = window_condition(shape, window, nonce)
    return f'SELECT COUNT(*) AS "rows"\n{where}', parameters


def counts_query(
    shape: SourceShape, windows: Sequence[Window], *, nonce: int
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for the numbers of rows of windows that meet each other, and its parameters.

    One row for each window that has rows: its place among them, and how many.
    """
    place = place_in(shape, windows)
    where, parameters = window_condition(shape, Window(windows[0].start, windows[-1].end), nonce)
    return f'SELECT {place} AS "place", COUNT(*) AS "rows"\n{where}\nGROUP BY 1', parameters


def unplaced_query(
    shape: SourceShape, window: Window, *, nonce: int
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for the number of rows that a clock of another type lets fall in a window.

    Rows whose clock says no instant at all count too: they could be of any day.
    """
    clock = f"TRY_CAST(CAST({quoted(shape.columns[shape.dmo.clock])} AS VARCHAR) AS TIMESTAMPTZ)"
    where, parameters = window_condition(shape, window, nonce, clock)
    return f'SELECT COUNT(*) AS "rows"\n{where}\n   OR {clock} IS NULL', parameters


def clockless_query(shape: SourceShape, *, nonce: int) -> str:
    """The query for the number of rows without a clock, which no range of time can ask for.

    The nonce stands in a column of its own, so that no cache answers; see `window_condition`.
    """
    clock = quoted(shape.columns[shape.dmo.clock])
    return (
        f'SELECT COUNT(*) AS "rows", MAX({nonce}) AS "nonce"\n'
        f"FROM {quoted(shape.object_name)}\nWHERE {clock} IS NULL"
    )


def window_condition(
    shape: SourceShape, window: Window, nonce: int, clock: str = ""
) -> tuple[str, tuple[Parameter, ...]]:
    """Source and half-open window, and their parameters; for each query on rows of a window.

    The last line cuts nothing off: it lies after the window. It makes each text unique, because
    an identical text may be answered from a cache that is older than the newest rows (section
    2.7 of the Data 360 page). Of a catalogue every row is of the window.
    """
    if shape.dmo.is_catalogue:
        return f"FROM {quoted(shape.object_name)}\nWHERE {nonce} = {nonce}", ()
    clock = clock or quoted(shape.columns[shape.dmo.clock])
    beyond = window.end + timedelta(microseconds=nonce)
    return (
        f"FROM {quoted(shape.object_name)}\n"
        f"WHERE {clock} >= CAST(? AS TIMESTAMPTZ)\n"
        f"  AND {clock} < CAST(? AS TIMESTAMPTZ)\n"
        f"  AND {clock} < {instant_literal(beyond)}",
        (
            Parameter("varchar", _iso(window.start, "milliseconds")),
            Parameter("varchar", _iso(window.end, "milliseconds")),
        ),
    )


def place_in(shape: SourceShape, windows: Sequence[Window]) -> str:
    """Which of the windows, that meet each other, a row is in; a constant when there is one."""
    if len(windows) == 1:
        return "0"
    clock = quoted(shape.columns[shape.dmo.clock])
    cases = " ".join(
        f"WHEN {clock} < {instant_literal(window.end)} THEN {place}"
        for place, window in enumerate(windows[:-1])
    )
    return f"CASE {cases} ELSE {len(windows) - 1} END"


def instant_literal(instant: datetime) -> str:
    """An instant as SQL, to the microsecond."""
    return f"CAST('{_iso(instant, 'microseconds')}' AS TIMESTAMPTZ)"


def _iso(instant: datetime, timespec: str) -> str:
    return instant.isoformat(timespec=timespec).replace("+00:00", "Z")
