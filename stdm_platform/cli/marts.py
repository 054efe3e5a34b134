"""`stdm analyze`, `topics`, `actions` and `sql`: ask the published marts.

Belongs here: flags and notes of the commands that read marts. Does not: SQL (`insight`).
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stdm_platform.cli.options import Agent, DataDir, Form, Org, Previews, SinceDay, UntilDay
from stdm_platform.cli.output import Format, say, show
from stdm_platform.cli.resting import part_of, say_gaps, say_what_it_rests_on, scope_of, store_of


def analyze(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    previews: Previews = False,
    form: Form = Format.table,
) -> None:
    """Sessions by agent and channel: turns, durations, outcomes, errors.

    Shares are of the sessions in the same row; sessions whose outcome no rule could tell stand in
    unknown_outcome_share.

    Example: stdm analyze --since 2026-01-08 --until 2026-01-15 --format csv > week.csv
    """
    from stdm_platform.insight import session_overview

    scope, store = scope_of(since, until, agent, previews), store_of(org, data_dir)
    show(session_overview(store, scope), form, title="Sessions by agent and channel")
    say_what_it_rests_on(store, scope)


def topics(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    routing: Annotated[
        bool, typer.Option("--routing", help="Moves between topics instead of topics.")
    ] = False,
    form: Form = Format.table,
) -> None:
    """Topics by agent: turns, sessions, action errors, escalations; or the routing between them.

    In the routing, (start) and (end) are the entry to and the exit from a session.

    Example: stdm topics --routing --agent Order_Support
    """
    from stdm_platform.insight import topic_overview, topic_routing

    scope, store = scope_of(since, until, agent, previews=True), store_of(org, data_dir)
    if routing:
        show(topic_routing(store, scope), form, title="Topic routing")
    else:
        show(topic_overview(store, scope), form, title="Topics by agent")
    say_what_it_rests_on(store, scope)


def actions(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    previews: Previews = False,
    form: Form = Format.table,
) -> None:
    """Actions by agent: calls, errors by class, slow calls, 50th, 95th and 99th percentile of time.

    An error is a real error text or a failing status. error_share is of the calls of which it can be
    told; slow_calls (more than 10 s) and percentiles (within 1 %) are of timed_calls.

    Example: stdm actions --agent Order_Support --since 2026-01-08 --format json
    """
    from stdm_platform.insight import action_overview
    from stdm_platform.insight.actions import NEEDED

    scope, store = scope_of(since, until, agent, previews), store_of(org, data_dir)
    found = action_overview(store, scope)
    show(found, form, title="Actions by agent")
    calls, untold = int(found["calls"].sum()), int(found["unknown_error_count"].sum())
    say(f"{calls:,} calls · unknown whether they failed: {part_of(untold, calls)}")
    say_gaps(store, scope, NEEDED)
    say_what_it_rests_on(store, scope)


def sql(
    statement: Annotated[
        str, typer.Argument(help="SQL on the marts; - reads it from stdin.", metavar="SQL")
    ],
    org: Org = None,
    data_dir: DataDir = None,
    form: Form = Format.table,
) -> None:
    """Run SQL on the published marts.

    Example: stdm sql "select outcome, count(*) from session_summary group by all" --format json
    """
    from stdm_platform.insight import query

    text = sys.stdin.read() if statement == "-" else statement
    show(query(store_of(org, data_dir), text), form)
