"""The command tree and its help.

Belongs here: which commands there are and in which order help shows them. Does not: their bodies.
"""

from __future__ import annotations

import typer

from stdm_platform.cli.demo import demo
from stdm_platform.cli.dev import dev
from stdm_platform.cli.drift import drift
from stdm_platform.cli.extract import extract
from stdm_platform.cli.finding import find, find_failed, moment_urls
from stdm_platform.cli.incremental import extract_incremental, status
from stdm_platform.cli.marts import actions, analyze, sql, topics
from stdm_platform.cli.org import count, doctor
from stdm_platform.cli.pages import report
from stdm_platform.cli.quality import (
    find_hallucinations,
    find_low_adherence,
    find_toxic,
    find_unresolved,
    quality_report,
)
from stdm_platform.cli.sandbox import sandbox
from stdm_platform.cli.sessions import debug_session
from stdm_platform.cli.trees import extract_tree
from stdm_platform.cli.verify import verify

HELP = """\
Turn the traces of Agentforce agents into tables that you can trust.

Start without an org:  [bold]stdm demo[/bold]  runs a week of a local sandbox org through the whole platform.
Start with your org:   set the STDM_* variables (README), then  [bold]stdm doctor[/bold], then  [bold]stdm extract --days 7[/bold].
Then ask:              [bold]stdm analyze[/bold], [bold]stdm topics[/bold], [bold]stdm find-failed[/bold], [bold]stdm sql "select * from session_summary limit 5"[/bold].

All days are UTC and every range is [since, until). Data goes to stdout, messages to stderr.
Exit codes: 0 ok · 1 failure or differences · 2 authentication · 3 never extracted · 4 bad arguments.
"""

app = typer.Typer(
    help=HELP, no_args_is_help=True, rich_markup_mode="rich", add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip

START, WORK, ASK, FIND = "Start here", "Bring the data in", "Ask the data", "Find and look"

app.command(rich_help_panel=START)(demo)
app.command(rich_help_panel=START)(doctor)
app.command("test-auth", hidden=True)(doctor)
app.command(rich_help_panel=START)(dev)
app.add_typer(sandbox, name="sandbox", rich_help_panel=START)
app.command(rich_help_panel=WORK)(extract)
app.command("extract-incremental", rich_help_panel=WORK)(extract_incremental)
app.command("extract-tree", rich_help_panel=WORK)(extract_tree)
app.command(rich_help_panel=WORK)(status)
app.command(rich_help_panel=WORK)(count)
app.command(rich_help_panel=WORK)(verify)
app.command(rich_help_panel=WORK)(drift)
app.command(rich_help_panel=ASK)(analyze)
app.command(rich_help_panel=ASK)(topics)
app.command(rich_help_panel=ASK)(actions)
app.command("quality-report", rich_help_panel=ASK)(quality_report)
app.command(rich_help_panel=ASK)(report)
app.command(rich_help_panel=FIND)(find)
app.command("find-failed", rich_help_panel=FIND)(find_failed)
app.command("find-hallucinations", rich_help_panel=FIND)(find_hallucinations)
app.command("find-toxic", rich_help_panel=FIND)(find_toxic)
app.command("find-low-adherence", rich_help_panel=FIND)(find_low_adherence)
app.command("find-unresolved", rich_help_panel=FIND)(find_unresolved)
app.command("debug-session", rich_help_panel=FIND)(debug_session)
app.command("moment-urls", rich_help_panel=FIND)(moment_urls)
app.command(rich_help_panel=ASK)(sql)
