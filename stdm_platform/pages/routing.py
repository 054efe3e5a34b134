"""Routing between topics: a Sankey of moves, and the topics themselves.

Belongs here: the section and its chart. Does not: the SQL, which `stdm topics` asks too (`insight`).

A Sankey diagram has no way back, and sessions do come back to a topic: so topics stand twice, where a move
comes from and where it goes to, and the widths are the rows of the table.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from stdm_platform.insight import topic_overview, topic_routing
from stdm_platform.pages.asked import Asker, Words
from stdm_platform.pages.figures import OTHER_NAMES, Chart, Drawn, Section, cut_name, table_of

MOST_TOPICS = 14
MOST_AGENTS = 12
ALL_AGENTS = "All agents"
BOUNDS = ("(start)", "(end)")
NEEDED = ("sessions", "interactions")

MOVES = Words(
    "routing",
    "Moves between topics",
    "How sessions moved between topics, from one turn to the next; a turn that keeps the topic is a move to itself, "
    "turns without a topic are passed over. Each session enters once from (start) and leaves once to (end). Topics "
    "come without planner suffix. Preview sessions are counted.",
    "transitions; share of from is of all moves of the agent away from that topic",
    NEEDED,
)
TOPICS = Words(
    "topics",
    "Topics",
    "Turns and sessions by topic. A session counts for each topic that it has a turn on, so sessions do not add "
    "up over topics. Preview sessions are counted, and stand in their own column.",
    "escalation share is of the sessions with a turn on the topic, previews left out on both sides",
    NEEDED,
)


def routing(asker: Asker) -> Section:
    """Where conversations go: `topic_routing` and `topic_summary`."""
    return Section(
        "routing-section",
        "Topic routing",
        (
            asker.figure(MOVES, lambda: _moves(asker)),
            asker.figure(TOPICS, lambda: _topics(asker)),
        ),
    )


def _moves(asker: Asker) -> Drawn:
    rows = topic_routing(asker.store, asker.ground.scope)
    caption = "Moves between topics, most frequent first"
    notes: tuple[str, ...] = ()
    if rows["agent_name"].n_unique() > 1:
        notes = (
            "All agents together: a topic of the same name in two agents is one in the picture, and two in the table.",
        )
    return Drawn(
        (table_of(rows, caption, mart="topic_routing", said={"share_of_from": "Part of all moves away from the topic."}),),
        sankey_of(rows),
        command=asker.command("topics --routing"),
        notes=notes,
    )  # fmt: skip


def _topics(asker: Asker) -> Drawn:
    rows = topic_overview(asker.store, asker.ground.scope)
    table = table_of(
        rows, "Topics by agent, most turns first", mart="topic_summary", is_long=rows.height > 50
    )
    return Drawn((table,), command=asker.command("topics"))


def sankey_of(rows: pl.DataFrame) -> Chart | None:
    """The chart of moves (`agent_name, from_topic, to_topic, transitions`), of all agents and of each.

    Of more than `MOST_TOPICS` topics the rarest are drawn as one; every move is in the sums.
    """
    agents = rows.group_by("agent_name").agg(pl.col("transitions").sum())
    names = agents.sort("transitions", "agent_name", descending=[True, False])["agent_name"]
    variants = [(ALL_AGENTS, rows)] if len(names) != 1 else []
    variants += [
        (cut_name(name), rows.filter(pl.col("agent_name") == name)) for name in names[:MOST_AGENTS]
    ]
    drawn = [{"name": name, **_flow(part)} for name, part in variants if not part.is_empty()]
    return {"kind": "sankey", "title": MOVES.title, "unit": "count", "variants": drawn}


def _flow(rows: pl.DataFrame) -> dict[str, object]:
    weights: Counter[str] = Counter()
    for source, target, count in _counted(rows):
        weights[source] += count
        weights[target] += count
    kept = {name for name, _ in weights.most_common(MOST_TOPICS)} | set(BOUNDS)
    links: Counter[tuple[str, str]] = Counter()
    for source, target, count in _counted(rows):
        pair = [name if name in kept else OTHER_NAMES for name in (source, target)]
        links[(pair[0], pair[1])] += count
    ends = {(column, link[column]) for link in links for column in (0, 1)}
    nodes = {
        node: place
        for place, node in enumerate(sorted(ends, key=lambda node: _place(node, weights)))
    }
    drawn = [
        [nodes[(0, source)], nodes[(1, target)], count]
        for (source, target), count in sorted(links.items(), key=lambda link: -link[1])
    ]
    return {"nodes": [[cut_name(name), column] for column, name in nodes], "links": drawn}


def _place(node: tuple[int, str], weights: Counter[str]) -> tuple[int, int, int, str]:
    """The entry first, the exit last; of topics the most used first, those drawn as one behind them."""
    column, name = node
    rank = {BOUNDS[0]: 0, OTHER_NAMES: 2, BOUNDS[1]: 3}.get(name, 1)
    return column, rank, -weights[name], name


def _counted(rows: pl.DataFrame) -> list[tuple[str, str, int]]:
    moves = rows.select("from_topic", "to_topic", "transitions").iter_rows()
    return [(source, target, int(count)) for source, target, count in moves if count]
