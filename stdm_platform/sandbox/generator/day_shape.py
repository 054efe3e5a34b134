"""The shape of a day: its rhythm by hour, and the rare things that every day holds.

Belongs here: when sessions start, and which sessions are planted. Does not: what is drawn for the
others (`session_plan.py`).
"""

from __future__ import annotations

import duckdb

from stdm_platform.sandbox.generator.agents import DELEGATING

WEEKDAY = (6, 4, 3, 3, 4, 8, 16, 30, 52, 70, 78, 76, 68, 70, 74, 72, 66, 60, 56, 54, 48, 38, 28, 16)
WEEKEND = (12, 8, 6, 5, 5, 7, 12, 20, 34, 48, 60, 66, 66, 64, 62, 62, 62, 64, 66, 68, 66, 58, 48, 31)  # fmt: skip
"""Weights of the 24 hours."""

PLANTS = (
    "first millisecond", "NGC", "Voice", "PSTN", "Builder: Voice Preview", "API", "turnless",
    "interrupt", "delegation", "older staff", "staff", "loyalty", "CLOSED_ACTION", "general error",
    "ungrounded", "last millisecond",
)  # fmt: skip
"""Rare things that every day of a large enough org holds at least once, spread over the day."""
PLANTED_AGENTS = {
    "interrupt": (2, 0), "delegation": (DELEGATING, 1), "older staff": (4, 0), "staff": (4, 1),
    "loyalty": (5, 1), "general error": (0, 1), "ungrounded": (0, 0), "CLOSED_ACTION": (1, 1),
}  # fmt: skip
"""Agent and version of the planted sessions that need a certain one."""
LEAST_FOR_PLANTS = 5 * len(PLANTS)
"""Sessions a day from which on there are planted ones: fewer would be mostly planted."""


def load_day_shape(con: duckdb.DuckDBPyConnection, sessions_per_day: int) -> None:
    """Make the work tables `work_rhythm` and `work_plant`."""
    rows = []
    for weekend, weights in ((False, WEEKDAY), (True, WEEKEND)):
        # each hour ends exactly where the next begins, so that no draw falls between two
        edges = [sum(weights[:hour]) / sum(weights) for hour in range(24)] + [2.0]
        rows += [f"({weekend}, {hour}, {edges[hour]!r}, {edges[hour + 1]!r})" for hour in range(24)]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE work_rhythm AS SELECT weekend, hour, low::DOUBLE AS low,"
        f" high::DOUBLE AS high FROM (VALUES {', '.join(rows)}) t(weekend, hour, low, high)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE work_plant (i BIGINT, plant VARCHAR)")
    if sessions_per_day >= LEAST_FOR_PLANTS:
        con.executemany("INSERT INTO work_plant VALUES (?, ?)", planted_places(sessions_per_day))


def planted_places(sessions_per_day: int) -> list[tuple[int, str]]:
    """The number of the session within its day, and what is planted there."""
    last = len(PLANTS) - 1
    middle = [
        (int((place + 0.5) * sessions_per_day / len(PLANTS)), plant)
        for place, plant in enumerate(PLANTS[1:last], start=1)
    ]
    return [(0, PLANTS[0]), *middle, (sessions_per_day - 1, PLANTS[last])]
