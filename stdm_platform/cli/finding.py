"""`stdm find-failed`, `find` and `moment-urls`: lists of sessions and moments.

Belongs here: flags and notes of these commands. Does not: SQL (`insight`).
"""

from __future__ import annotations

from typing import Annotated

import typer

from stdm_platform.cli.options import (
    Agent,
    DataDir,
    Form,
    Limit,
    Org,
    SinceDay,
    UntilDay,
    settings_for,
)
from stdm_platform.cli.output import Format, say, show
from stdm_platform.cli.resting import part_of, say_what_it_rests_on, scope_of, store_of


def find_failed(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    limit: Limit = 100,
    form: Form = Format.table,
) -> None:
    """Sessions that were escalated or abandoned, as the org or a judge says, or in which a step failed.

    Who says so: the end type, the session-end step, the judge's tag, the router; the reasons name them and the
    number of failed steps. Sessions of which none of the four says anything are unknown, not good; how many
    stands on stderr. Outcomes that are derived or guessed (analyze --by outcome) do not count here.

    Example: stdm find-failed --since 2026-01-08 --agent Order_Support --format json
    """
    from stdm_platform.insight import find_failed_sessions

    scope, store = scope_of(since, until, agent, True), store_of(org, data_dir)
    found = find_failed_sessions(store, scope, limit)
    show(found.rows, form)
    sessions, untold = found.facts["sessions"], found.facts["unknown_sessions"]
    say(
        f"{found.total:,} found, {found.rows.height:,} shown · failed: {part_of(found.total, sessions)} sessions · "
        f"of {part_of(untold, sessions)} none of end type, session-end step, judge and router tells the outcome"
    )
    say_what_it_rests_on(store, scope, finds=True)


def find(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    topic: Annotated[str | None, typer.Option(help="A turn on this topic.")] = None,
    action: Annotated[
        str | None, typer.Option(help="A call of this action, with or without its topic.")
    ] = None,
    error: Annotated[
        str | None, typer.Option(help="A step whose error text holds this.", metavar="TEXT")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="This outcome by any definition, or unknown.")
    ] = None,
    definition: Annotated[str | None, typer.Option(help="Which definition of the outcome.")] = None,
    channel: Annotated[str | None, typer.Option(help="This channel, as served.")] = None,
    min_seconds: Annotated[
        float | None, typer.Option(min=0, help="It took at least so long.", metavar="S")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option(min=0, help="It took at most so long.", metavar="S")
    ] = None,
    limit: Limit = 100,
    form: Form = Format.table,
) -> None:
    """Sessions that have all that the flags ask for, the newest first.

    With --action, the --error is of that action. Topics, actions, channels and error texts are compared without
    regard to case, agents as they are written. Sessions without an end have no duration and
    are found by neither bound.

    Example: stdm find --action CreateReturn --error "timed out" --min-seconds 60
    """
    from stdm_platform.insight import Filters, find_sessions

    scope, store = scope_of(since, until, agent, True), store_of(org, data_dir)
    filters = Filters(topic, action, error, outcome, definition, channel, min_seconds, max_seconds)
    found = find_sessions(store, scope, filters, limit)
    show(found.rows, form)
    say(
        f"{found.total:,} found, {found.rows.height:,} shown · "
        f"{part_of(found.total, found.facts['sessions'])} sessions"
    )
    say_what_it_rests_on(store, scope, finds=True)


def moment_urls(
    session_id: Annotated[
        str | None, typer.Option("--session-id", help="Only this session.", metavar="ID")
    ] = None,
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    limit: Limit = 100,
    form: Form = Format.table,
) -> None:
    """The moments of a session, or of all, with the page of each in Salesforce; the newest sessions first.

    Links are relative to the org's host, unless STDM_LOGIN_URL is its My Domain.

    Example: stdm moment-urls --session-id 0199a3c0-1b2c-7def-8abc-0123456789ab --format json
    """
    from stdm_platform.insight import moment_urls as urls
    from stdm_platform.insight.links import org_host

    scope, store = scope_of(since, until, agent, True), store_of(org, data_dir)
    host = org_host(settings_for(org, data_dir).login_url)
    found = urls(store, scope, session_id, host=host)
    shown = found.head(limit)
    show(shown, form, title="Moments")
    say(
        f"{found.height:,} moments of {found['session_id'].n_unique():,} sessions, {shown.height:,} shown"
    )
    say_what_it_rests_on(store, scope, finds=True)
