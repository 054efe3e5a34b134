"""`stdm debug-session`: look at one session.

Belongs here: flags of the commands about one session. Does not: layout and finding its rows
(`insight`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stdm_platform.cli.options import DataDir, Form, Org, clock, settings_for
from stdm_platform.cli.output import Format, show, show_lines, terminal_width

SessionId = Annotated[str, typer.Option("--session-id", help="Key of the session.", metavar="ID")]


def debug_session(
    session_id: SessionId,
    org: Org = None,
    data_dir: DataDir = None,
    full: Annotated[
        bool, typer.Option("--full", help="All text, and input and output of every step.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page of it, and nothing to stdout.", metavar="FILE"),
    ] = None,
    form: Form = Format.table,
) -> None:
    """One session as it happened: turns, messages, steps, variables before and after, errors, links.

    It is found by its key in the days of the lake, or as a whole by extract-tree, whichever was read
    last. Times are UTC; after + stand milliseconds since the turn began. Links are relative to the
    org's host unless STDM_LOGIN_URL is its My Domain. The other formats hold one row per event, with
    all text.

    Example: stdm debug-session --session-id 0199a3c0-1b2c-7def-8abc-0123456789ab
    """
    from stdm_platform.cli.output import say
    from stdm_platform.cli.pages import write_page
    from stdm_platform.insight import session_events, session_record
    from stdm_platform.insight.links import org_host
    from stdm_platform.insight.session_text import session_lines
    from stdm_platform.lake import Lake
    from stdm_platform.marts import MartStore

    settings = settings_for(org, data_dir)
    path = settings.absolute_data_dir()
    host = org_host(settings.login_url)
    record = session_record(Lake(path), MartStore(path), session_id, host=host)
    if html is not None:
        from stdm_platform.pages import session_page

        write_page(html, session_page(record, clock(None)))
    elif form is Format.table:
        show_lines(session_lines(record, width=terminal_width(), full=full))
    else:
        show(session_events(record), form)
    for note in record.notes:
        say(note)
