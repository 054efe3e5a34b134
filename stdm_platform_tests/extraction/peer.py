"""The extractor of the first seed as far as its faults go, so that tests can show what they cost.

Written anew from section 8.2 of the Data 360 page (E1 to E16); no line is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.errors import StdmError
from stdm_platform.extraction import DayOutcome, extract_plan, plan_now
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.conversations import put, together
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import DAY, SESSIONS, held

FIRST_LOOK = timedelta(hours=24)
Row = dict[str, Any]


class Peer:
    """It keeps one table per object, appended to and rid of repeated keys, and a mark of time.

    `asked` are its statements. `errors` are what it met and told nobody.
    """

    def __init__(self, org: FakeOrg) -> None:
        self.org = org
        self.tables: dict[str, dict[str, Row]] = {}
        self.watermark: datetime | None = None
        self.asked: list[str] = []
        self.errors: list[StdmError] = []

    def tick(self, begins: datetime, ends: datetime, agent: str | None = None) -> None:
        """One incremental run that lasts from `begins` to `ends`; `agent` changes nothing (E9)."""
        since = self.watermark or begins - FIRST_LOOK
        if self._ask(
            "sessions", f"{_source('sessions', 'started_at')} >= {_literal(since)} "
            f"AND {_source('sessions', 'started_at')} < {_literal(begins)}"
        ):  # fmt: skip
            self.children()
        self.watermark = ends  # the wall clock, whatever was found (E3 to E5)

    def children(self) -> None:
        """Everything below all sessions that it ever saw (E7), by lists of ids (E2)."""
        if not self._of("interactions", "session_id", list(self.tables["sessions"])):
            return  # E8: moments are left out, old steps stay
        self._of("steps", "interaction_id", list(self.tables["interactions"]))
        self._of("moments", "session_id", list(self.tables["sessions"]))  # called messages (E11)

    def quality(self) -> None:
        """Generations of all steps that it has, and what was said of them."""
        ids = [row["generation_id"] for row in self.tables["steps"].values()]  # E12
        if not self._of("generations", "generation_id", ids):
            return  # E13
        for name, parent in (
            ("content_quality", "generation_id"),
            ("content_categories", "parent_id"),
        ):
            self.tables[name] = {}  # E14: overwritten, from all ids of all time
            self._of(name, parent, ids)  # fmt: skip

    def write(self, folder: Path) -> None:
        """One file per object, written over the one before (E1)."""
        for name, rows in self.tables.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            pl.DataFrame(list(rows.values())).write_parquet(folder / name / "data.parquet")

    def _of(self, name: str, column: str, ids: Sequence[str]) -> int:
        listed = ", ".join(f"'{each}'" for each in ids)
        return self._ask(name, f"{_source(name, column)} IN ({listed})")

    def _ask(self, name: str, where: str) -> int:
        entry = dmo(name)
        columns = ", ".join(f'"{each.source}" AS "{each.name}"' for each in entry.columns)
        sql = f'SELECT {columns} FROM "{entry.objects[0]}" WHERE {where}'
        self.asked.append(sql)
        try:
            rows = [row for batch in self.org.query(sql).batches() for row in batch.to_pylist()]
        except StdmError as error:
            self.errors.append(error)  # E10
            return 0
        self.tables.setdefault(name, {}).update({row[entry.key]: row for row in rows})
        return len(rows)


def _source(name: str, column: str) -> str:
    return f'"{dmo(name)[column].source}"'


def _literal(instant: datetime) -> str:
    """Whatever the zone, stamped as if it were UTC, to the second (E15)."""
    return f"CAST('{instant:%Y-%m-%dT%H:%M:%SZ}' AS TIMESTAMPTZ)"


def empty_org() -> FakeOrg:
    """An org that has every object and no row."""
    org = FakeOrg()
    put(org, together())
    return org


def row(entry: Dmo, key: str, at: datetime, **values: Any) -> dict[str, Any]:
    """A row with its key and its clock."""
    return {entry.key: key, entry.clock: at, **values}


def tick(org: FakeOrg, lake: Lake, now: datetime, *entries: Dmo) -> list[DayOutcome]:
    """One tick of ours, of sessions unless others are named."""
    wanted = entries or (SESSIONS,)
    return extract_plan(org, lake, plan_now(lake, now=now, start=DAY, dmos=wanted))


def keys(lake: Lake, entry: Dmo = SESSIONS) -> list[str]:
    """The keys that the lake holds, in order."""
    return [each[entry.key] for each in held(lake, entry)]
