"""`stdm extract-tree` and `stdm extract --agent`: whole sessions, into the overlay.

Belongs here: flags, progress. Does not: reading sessions, tables (`tree_tables.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from stdm_platform.cli.options import DryRun, Form, Now, Org, OutputDir, clock, settings_for
from stdm_platform.cli.output import Format, errors_console, say
from stdm_platform.cli.progress import progress_bar
from stdm_platform.cli.tables import tree_dmos
from stdm_platform.cli.tree_tables import (
    counted,
    instant_text,
    near_names,
    raise_what_is_missing,
    show_agent_dry_run,
    show_outcome,
    show_tree_dry_run,
)

if TYPE_CHECKING:
    from datetime import datetime

    from stdm_platform.data360 import Data360
    from stdm_platform.extraction import TreeRequest, TreesOutcome
    from stdm_platform.lake import Lake
    from stdm_platform.settings import Settings

MANY_SESSIONS = 100

SessionIds = Annotated[
    list[str],
    typer.Option("--session-id", help="Session to read; may be given again.", metavar="ID"),
]


def extract_tree(
    session_id: SessionIds,
    org: Org = None,
    data_dir: OutputDir = None,
    dry_run: DryRun = False,
    now: Now = None,
    form: Form = Format.table,
) -> None:
    """Read everything of given sessions, of all objects and days, into trees/ of the data directory.

    Rows are found by id, without a bound in time, so none is lost at a midnight; Salesforce may
    process whole objects for it, and says how much. Days in the lake, plans and marts stay as they
    are. A session that was read before is read again; the newest reading counts.

    Example: stdm extract-tree --session-id 0199a3c0-1b2c-7def-8abc-0123456789ab
    """
    from stdm_platform.extraction import session_ids
    from stdm_platform.lake import Lake

    settings, wanted = settings_for(org, data_dir), session_ids(session_id)
    if dry_run:
        show_tree_dry_run(wanted, settings)
        return
    lake = Lake(settings.absolute_data_dir())
    with _connected(settings) as client:
        outcome = _read(client, lake, wanted, settings, clock(now))
    show_outcome(outcome, lake, form)
    raise_what_is_missing(outcome)


def extract_agent(
    agent: str,
    lake: Lake,
    *,
    start: datetime,
    end: datetime,
    settings: Settings,
    now: datetime,
    again: bool,
    dry_run: bool,
) -> None:
    """Read every session that the agent joined in the range into the overlay."""
    from stdm_platform.extraction import TreeRequest, find_agents, find_sessions_of_agent

    if dry_run:
        show_agent_dry_run(agent, start, end, settings)
        return
    span = f"from {instant_text(start)} to {instant_text(end)}"
    with _connected(settings) as client:
        lake.claim(client.org_id)
        with errors_console().status(f"looking for sessions of {agent} …"):
            sessions = find_sessions_of_agent(client, agent, start, end)
            seen = [] if sessions else find_agents(client, start, end)
        if not sessions:
            say(f"No session of an agent {agent!r} {span}.{near_names(agent, seen)}")
            return
        say(f"{counted(len(sessions))} of {agent} {span}.")
        if len(sessions) > MANY_SESSIONS:
            say("So many cost less when read by days: stdm extract without --agent.")
        ends = "now" if end >= now else instant_text(end)
        said = [client.org_id, agent, instant_text(start), ends, settings.text]
        request = TreeRequest.open(lake, said, again=again)
        outcome = _read(client, lake, sessions, settings, now, request)
    show_outcome(outcome, lake, Format.table)
    say("Days in the lake and marts are as they were: stdm extract without --agent builds them.")
    raise_what_is_missing(outcome)


@contextmanager
def _connected(settings: Settings) -> Iterator[Data360]:
    from stdm_platform.data360 import Connection, Data360

    with Data360(Connection.from_settings(settings)) as client:
        yield client


def _read(
    client: Data360,
    lake: Lake,
    sessions: Sequence[str],
    settings: Settings,
    now: datetime,
    request: TreeRequest | None = None,
) -> TreesOutcome:
    from stdm_platform.extraction import extract_trees

    with progress_bar("reading sessions", len(sessions)) as advance:
        return extract_trees(
            client,
            lake,
            sessions,
            now=now,
            text=settings.text,
            limit=settings.quarantine_limit,
            dmos=tree_dmos(settings),
            request=request,
            progress=advance,
        )
