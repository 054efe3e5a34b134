"""Small conversations in a fake org: sessions with rows in every object, some past midnight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from stdm_platform.catalog import DMOS, Dmo, dmo
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.fake_org import FakeOrg

EVENING = datetime(2026, 1, 14, 23, 30, tzinfo=UTC)
NOW = datetime(2026, 1, 20, 15, 30, tzinfo=UTC)
TURNS = 3
Rows = dict[str, list[dict[str, Any]]]


def conversation(session: str, *, agent: str = "Order_Support", at: datetime = EVENING) -> Rows:
    """One session of three turns, an hour apart, so that most of it lies after midnight; of other
    objects the org has no row.
    """
    hours = [at + timedelta(hours=turn) for turn in range(TURNS)]
    turns = [f"{session}-i{turn}" for turn in range(TURNS)]
    return {
        **{entry.name: [] for entry in DMOS},
        "sessions": [_row("sessions", session, at, channel_type="Voice")],
        "participants": [
            _row("participants", f"{session}-p{place}", at, session_id=session,
                 participant_role=role, agent_api_name=agent)
            for place, role in enumerate(("USER", "AGENT"))
        ],
        "interactions": [
            _row("interactions", turn, hour, session_id=session, interaction_type="TURN")
            for turn, hour in zip(turns, hours, strict=True)
        ],
        "steps": [
            _row("steps", f"{turn}-s{place}", hour, interaction_id=turn, input_value_text="secret")
            for turn, hour in zip(turns, hours, strict=True)
            for place in range(2)
        ],
        "messages": [
            _row("messages", f"{turn}-m", hour, interaction_id=turn, session_id=session,
                 content_text="secret")
            for turn, hour in zip(turns, hours, strict=True)
        ],
        "moments": [_row("moments", f"{session}-o", at, session_id=session)],
    }  # fmt: skip


def together(*several: Rows) -> Rows:
    """The rows of several conversations."""
    return {entry.name: [row for rows in several for row in rows[entry.name]] for entry in DMOS}


def put(org: FakeOrg, rows: Mapping[str, Sequence[Mapping[str, Any]]], **bits: Any) -> None:
    """Hold these rows, and no others, of every object."""
    for entry in DMOS:
        org.put(entry, rows[entry.name], **bits)


def org_with(*sessions: str, transport: str = "arrow") -> FakeOrg:
    """An org that holds one conversation per id."""
    org = FakeOrg(transport)
    put(org, together(*(conversation(session) for session in sessions)))
    return org


def keys_of(rows: Rows) -> dict[str, list[str]]:
    """The keys of the rows, by DMO, in order."""
    return {name: sorted(each[dmo(name).key] for each in of_dmo) for name, of_dmo in rows.items()}


def tree_keys(lake: Lake, session: str) -> dict[str, list[str]] | None:
    """The keys of a session's tree, by DMO, in order; None when none is held."""
    tree = lake.tree(session)
    if tree is None:
        return None
    return {name: sorted(rows[dmo(name).key]) for name, rows in tree.frames().items()}


def files_of(lake: Lake) -> list[str]:
    """Every file of the overlay."""
    return sorted(str(path.name) for path in lake.folders.trees.rglob("*.parquet"))


def all_rows(lake: Lake, entry: Dmo) -> pl.DataFrame:
    """The rows of one DMO in every reading of the overlay."""
    paths: Iterable[Any] = sorted(lake.folders.trees.glob(f"*/{entry.name}.parquet"))
    return pl.concat([pl.read_parquet(path) for path in paths])


def _row(name: str, key: str, at: datetime, **values: Any) -> dict[str, Any]:
    entry = dmo(name)
    return {entry.key: key, entry.clock: at, **values}
