"""`stdm analyze`, `topics` and `sql`: ask the published marts.

Belongs here: flags and notes of the commands that read marts. Does not: SQL (`insight`).
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stdm_platform.cli.options import (
    Agent,
    DataDir,
    Form,
    Org,
    Previews,
    Since,
    Until,
    day_of,
    settings_for,
)
from stdm_platform.cli.output import Format, say, show
from stdm_platform.errors import ArgumentError

if TYPE_CHECKING:
    from stdm_platform.insight.summaries import Scope
    from stdm_platform.marts import MartStore


def analyze(
    org: Org = None,
    data_dir: DataDir = None,
    since: Since = None,
    until: Until = None,
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
    from stdm_platform.insight.summaries import Scope

    scope = Scope(*_days_of(since, until), agent, previews)
    store = _store(org, data_dir)
    show(session_overview(store, scope), form, title="Sessions by agent and channel")
    _say_what_it_rests_on(store, scope)


def topics(
    org: Org = None,
    data_dir: DataDir = None,
    since: Since = None,
    until: Until = None,
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
    from stdm_platform.insight.summaries import Scope

    scope = Scope(*_days_of(since, until), agent, previews=True)
    store = _store(org, data_dir)
    if routing:
        show(topic_routing(store, scope), form, title="Topic routing")
    else:
        show(topic_overview(store, scope), form, title="Topics by agent")
    _say_what_it_rests_on(store, scope)


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
    show(query(_store(org, data_dir), text), form)


def _days_of(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    first, end = day_of("--since", since), day_of("--until", until)
    if first is not None and end is not None and first > end:
        raise ArgumentError(
            f"the range from {first} to {end} ends before it begins.",
            action="Give a --since before --until.",
        )
    return first, end


def _store(org: str | None, data_dir: object) -> MartStore:
    from stdm_platform.marts import MartStore

    return MartStore(settings_for(org, data_dir).absolute_data_dir())  # type: ignore[arg-type]


def _untold(facts: dict[str, Any]) -> str:
    count = facts["untold_sessions"]
    return f", {count:,} of which it is unknown whether they are (counted)" if count else ""


def _say_what_it_rests_on(store: MartStore, scope: Scope) -> None:
    from stdm_platform.insight import freshness

    facts = freshness(store, scope)
    if not facts["sessions"]:
        say("No session days match; `stdm sql \"select min(session_date), max(session_date) from session_summary\"` shows what is held.")  # fmt: skip
        return
    preview = "counted" if scope.previews else "left out"
    say(
        f"Session days {facts['first_day']} to {facts['last_day']} (UTC) · {facts['sessions']:,} sessions, "
        f"of which {facts['preview_sessions']:,} previews ({preview}){_untold(facts)} · "
        f"{facts['complete_sessions'] / facts['sessions']:.1%} complete · "
        f"newest session started {facts['newest_session_at']:%Y-%m-%d %H:%M} UTC"
    )
