"""`stdm report`: a page of figures for people. Also writing pages for other commands.

Belongs here: flags and notes of the commands that make pages, writing them. Does not: what stands on a page
(`pages`).
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path
from typing import Annotated

import typer

from stdm_platform.cli.options import Agent, DataDir, Now, Org, Previews, SinceDay, UntilDay, clock
from stdm_platform.cli.output import say
from stdm_platform.cli.resting import say_what_it_rests_on, scope_of, store_of
from stdm_platform.errors import ArgumentError

Out = Annotated[Path, typer.Option("--out", help="File to write; replaced when it is there.", metavar="FILE")]  # fmt: skip


def report(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    previews: Previews = False,
    out: Out = Path("report.html"),
    now: Now = None,
) -> None:
    """One page for people: routing, outcomes, latency, actions, quality, freshness, cost.

    The file needs neither server nor network; open it in any browser. Every figure says what it means, of
    what it is a part and how old its data is. What was not extracted is said, and never shown as zero.

    Example: stdm report --since 2026-01-08 --until 2026-01-15 --out week.html
    """
    from stdm_platform.pages import report_page

    scope, store = scope_of(since, until, agent, previews), store_of(org, data_dir)
    made_at = clock(now)
    write_page(out, report_page(store, scope, made_at))
    say_what_it_rests_on(store, scope, now=made_at)


def write_page(path: Path, page: str) -> None:
    """Write a page in one step, so that nobody opens half of it; says where it lies, on stderr.

    Raises:
        ArgumentError: the file cannot be written there.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise ArgumentError(
            f"The page cannot be written to {path}: {os.strerror(error.errno or 0)}.",
            action="Name a file in a folder that is there and may be written.",
        ) from None
    say(f"{path.absolute().as_uri()} ({len(page.encode()) / 1e6:.1f} MB)")
