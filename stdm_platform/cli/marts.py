"""`stdm analyze`, `topics`, `actions` and `sql`: ask the published marts.

Belongs here: flags and notes of the commands that read marts. Does not: SQL (`insight`).
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from stdm_platform.cli.options import Agent, DataDir, Form, Org, Previews, SinceDay, UntilDay
from stdm_platform.cli.output import Format, say, show
from stdm_platform.cli.resting import part_of, say_gaps, say_what_it_rests_on, scope_of, store_of

if TYPE_CHECKING:
    import polars as pl

    from stdm_platform.insight import Scope
    from stdm_platform.marts import MartStore


class By(StrEnum):
    """What `stdm analyze` makes a row of."""

    agent = "agent"
    day = "day"
    outcome = "outcome"
    end_type = "end-type"


def analyze(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    previews: Previews = False,
    by: Annotated[
        By,
        typer.Option(
            help="A row for each agent and channel, day, outcome of each definition, or end type."
        ),
    ] = By.agent,
    form: Form = Format.table,
) -> None:
    """Sessions by agent and channel: turns, durations, outcomes, errors; or by day, outcome, end type.

    Shares are of the sessions in the same row; sessions whose outcome no rule could tell stand in
    unknown_outcome_share. By outcome, each definition has its own rows, and shares are of told_sessions.

    Example: stdm analyze --since 2026-01-08 --until 2026-01-15 --by day --format csv > week.csv
    """
    scope, store = scope_of(since, until, agent, previews), store_of(org, data_dir)
    title, rows = _sessions_by(by, store, scope)
    show(rows, form, title=title)
    say_what_it_rests_on(store, scope)


def _sessions_by(by: By, store: MartStore, scope: Scope) -> tuple[str, pl.DataFrame]:
    from stdm_platform.insight import summaries

    title, ask = {
        By.agent: ("Sessions by agent and channel", summaries.session_overview),
        By.day: ("Sessions by UTC day", summaries.sessions_by_day),
        By.outcome: (
            "Outcomes of the same sessions by each definition",
            summaries.outcome_overview,
        ),
        By.end_type: ("Sessions by end type, as served", summaries.end_types),
    }[by]
    return title, ask(store, scope)


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
    steps: Annotated[
        bool, typer.Option("--steps", help="Steps of every type by type and name instead.")
    ] = False,
    form: Form = Format.table,
) -> None:
    """Actions by agent: calls, errors by class, slow calls, 50th, 95th and 99th percentile of time.

    An error is a real error text or a failing status. error_share is of the calls of which it can be
    told; slow_calls (more than 10 s) and percentiles (within 1 %) are of timed_calls.

    Example: stdm actions --agent Order_Support --since 2026-01-08 --format json
    """
    from stdm_platform.insight import action_overview, step_overview
    from stdm_platform.insight.actions import NEEDED

    scope, store = scope_of(since, until, agent, previews), store_of(org, data_dir)
    found = (step_overview if steps else action_overview)(store, scope)
    show(found, form, title="Steps by type and name" if steps else "Actions by agent")
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
