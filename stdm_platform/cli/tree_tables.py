"""What reading whole sessions shows: closing tables, what is missing, dry runs.

Belongs here: wording and tables of `trees.py`. Does not: flags, reading sessions.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from stdm_platform.cli.output import Format, say, show, show_table, show_text
from stdm_platform.cli.tables import tree_dmos
from stdm_platform.errors import ContractError, StdmError

if TYPE_CHECKING:
    from datetime import datetime

    from stdm_platform.extraction import TreesOutcome
    from stdm_platform.lake import Lake
    from stdm_platform.settings import Settings

SHOWN_SESSIONS = 20
"""Sessions whose rows are counted one by one at the end."""
NAMED = 10
"""Ids or names in one message."""
TABLES = pl.Schema(
    {
        "table": pl.String(),
        "rows": pl.Int64(),
        "quarantined": pl.Int64(),
        "rows_processed": pl.Int64(),
        "megabytes": pl.Float64(),
        "status": pl.String(),
        "absent": pl.String(),
    }
)


def show_outcome(outcome: TreesOutcome, lake: Lake, form: Format) -> None:
    """The closing tables: rows per object, and for few sessions rows of each."""
    rows: list[tuple[object, ...]] = [
        (
            name,
            count.rows,
            count.quarantined,
            count.rows_processed,
            round(count.bytes / 1e6, 3),
            "read",
            ", ".join(count.absent_columns) or None,
        )
        for name, count in outcome.tables.items()
    ]
    rows += [(name, None, None, None, None, "the org lacks it", None) for name in outcome.absent]
    show(pl.DataFrame(rows, schema=TABLES, orient="row"), form, title="Read by session")
    held = [*outcome.found, *outcome.kept]
    if form is Format.table and 0 < len(held) <= SHOWN_SESSIONS:
        show_table(_by_session(held, lake), title="Rows of each session")
    aside = sum(count.quarantined for count in outcome.tables.values())
    if aside:
        folders = some([str(each.aside) for each in outcome.readings if each.aside.is_dir()])
        say(f"{aside:,} rows cannot be trusted and are kept aside: {folders}")
    kept = f", {len(outcome.kept):,} of them before" if outcome.kept else ""
    say(f"{counted(len(held))} read{kept}; see {lake.folders.trees}")


def _by_session(sessions: Sequence[str], lake: Lake) -> pl.DataFrame:
    """One row per session, one column per object with the number of its rows."""
    rows = []
    for session in sessions:
        tree = lake.tree(session)
        if tree is not None:
            counts = {
                name: tree.scan(name).select(pl.len()).collect().item() for name in tree.evidence
            }
            rows.append({"session_id": session, **counts})
    return pl.DataFrame(rows, infer_schema_length=None)


def raise_what_is_missing(outcome: TreesOutcome) -> None:
    """Say which sessions were refused or are unknown, and end with 1 if there are any."""
    for refused in outcome.refused:
        say(f"refused: sessions {some(refused.sessions)}: {refused.verdict.describe()}")
    for session in outcome.missing[:NAMED]:
        say(f"missing: the org has no row of session {session}.")
    if outcome.refused:
        count = sum(len(refused.sessions) for refused in outcome.refused)
        raise ContractError(
            f"{counted(count)} refused; what was held before stays.",
            action=f"Look at {outcome.refused[0].kept}, mend the source, read them again.",
        )
    if outcome.missing:
        raise StdmError(
            f"the org has no row of {counted(len(outcome.missing))}: {some(outcome.missing)}.",
            action="Check the ids; rows of a new session can take hours to land.",
        )


def show_tree_dry_run(sessions: Sequence[str], settings: Settings) -> None:
    """The query of each object, by the names of the catalog; nobody is asked."""
    from stdm_platform.extraction import planned_queries

    for name, source, column, sql in planned_queries(
        sessions, text=settings.text, dmos=tree_dmos(settings)
    ):
        show_text(f"-- {name}, ? = {column} of {source}, in each spelling\n{sql};\n")
    say(
        f"Nothing was asked. {counted(len(sessions)) if sessions else 'Sessions as found'}; lists of "
        "ids are cut at 400. What it costs is not known beforehand. Names are those of the catalog; the "
        "org may spell them otherwise."
    )


def show_agent_dry_run(agent: str, start: datetime, end: datetime, settings: Settings) -> None:
    """The query that finds the sessions of the agent, and those for their rows."""
    from stdm_platform.catalog import dmo
    from stdm_platform.extraction import expected_shape, sessions_of_agent

    query, parameters = sessions_of_agent(
        expected_shape(dmo("participants")), agent, start, end, nonce=0
    )
    values = ", ".join(repr(parameter.value) for parameter in parameters)
    show_text(f"-- sessions of the agent, ? = {values}\n{query};\n")
    show_tree_dry_run([], settings)


def near_names(agent: str, seen: Sequence[str]) -> str:
    """The names that may have been meant, else those that there are."""
    if not seen:
        return " No agent joined a session there."
    lowered = {name.lower(): name for name in seen}
    near = [lowered[each] for each in difflib.get_close_matches(agent.lower(), lowered, NAMED)]
    return f" Did you mean {some(near)}?" if near else f" Agents there: {some(seen)}."


def counted(count: int) -> str:
    """`1 session`, `2 sessions`."""
    return f"{count:,} session{'s' * (count != 1)}"


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def instant_text(instant: datetime) -> str:
    """ISO 8601 with seconds and `Z`."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
