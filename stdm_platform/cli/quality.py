"""`stdm quality-report`, `find-hallucinations`, `find-toxic`, `find-low-adherence`, `find-unresolved`.

Belongs here: flags and notes of the commands about quality signals. Does not: SQL (`insight`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stdm_platform.cli.options import Agent, DataDir, Form, Limit, Org, Previews, SinceDay, UntilDay
from stdm_platform.cli.output import Format, say, show
from stdm_platform.cli.resting import part_of, say_what_it_rests_on, scope_of, store_of

if TYPE_CHECKING:
    from stdm_platform.insight import Found, Scope
    from stdm_platform.marts import MartStore

    Finder = Callable[[MartStore, Scope, int], Found]


def quality_report(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    previews: Previews = False,
    by_agent: Annotated[
        bool, typer.Option("--by-agent", help="A row for each agent and signal.")
    ] = False,
    form: Form = Format.table,
) -> None:
    """Groundedness, toxicity, prompt attacks, personal data, adherence, resolution: how much is bad.

    flagged_share is of the checks, flagged_session_share of the checked sessions. Sessions without any
    check are unknown and never count as good; the state tells never_checked from not_extracted.

    Example: stdm quality-report --since 2026-01-08 --by-agent --format json
    """
    from stdm_platform.insight import quality_report as report
    from stdm_platform.insight.signals import SIGNALS

    scope, store = scope_of(since, until, agent, previews), store_of(org, data_dir)
    found = report(store, scope, by_agent=by_agent)
    shown = found.drop("definition") if form is Format.table else found
    show(shown, form, title="Quality signals")
    if form is Format.table:
        for signal in SIGNALS.values():
            say(f"{signal.name}: {signal.definition} A check is {signal.check}.")
    say_what_it_rests_on(store, scope)


def find_hallucinations(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    limit: Limit = 100,
    form: Form = Format.table,
) -> None:
    """Answers that a groundedness validation called ungrounded, and whether they reached the user.

    Example: stdm find-hallucinations --agent Order_Support --limit 20 --format json
    """
    from stdm_platform.insight import find_hallucinations as finder

    _find(finder, "groundedness", (org, data_dir), scope_of(since, until, agent, True), limit, form)


def find_toxic(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    limit: Limit = 100,
    form: Form = Format.table,
) -> None:
    """Texts that the trust layer found toxic, with their categories; one row per text.

    content_side tells who wrote it: OUTPUT is the agent, INPUT the user.

    Example: stdm find-toxic --since 2026-01-08 --format csv > toxic.csv
    """
    from stdm_platform.insight import find_toxic_responses as finder

    _find(finder, "toxicity", (org, data_dir), scope_of(since, until, agent, True), limit, form)


def find_low_adherence(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    limit: Limit = 100,
    form: Form = Format.table,
) -> None:
    """Answers that were judged to follow the agent's instructions badly; uncertain ones are none of them.

    Example: stdm find-low-adherence --since 2026-01-08 --format csv > low.csv
    """
    from stdm_platform.insight import find_low_instruction_adherence as finder

    _find(finder, "instruction_adherence", (org, data_dir), scope_of(since, until, agent, True), limit, form)  # fmt: skip


def find_unresolved(
    org: Org = None,
    data_dir: DataDir = None,
    since: SinceDay = None,
    until: UntilDay = None,
    agent: Agent = None,
    limit: Limit = 100,
    form: Form = Format.table,
) -> None:
    """Tasks that were judged, and not as fully resolved; what nobody judged is unknown, and not here.

    Example: stdm find-unresolved --agent Order_Support --format json
    """
    from stdm_platform.insight import find_unresolved_tasks as finder

    _find(finder, "task_resolution", (org, data_dir), scope_of(since, until, agent, True), limit, form)  # fmt: skip


def _find(
    finder: Finder,
    signal: str,
    place: tuple[str | None, Path | None],
    scope: Scope,
    limit: int,
    form: Format,
) -> None:
    from stdm_platform.insight.signals import SIGNALS

    store = store_of(*place)
    found = finder(store, scope, limit)
    show(found.rows, form)
    facts = found.facts
    say(f"{found.total:,} found, {found.rows.height:,} shown. {SIGNALS[signal].definition}")
    if facts:
        say(
            f"Flagged: {part_of(facts['flagged'], facts['checks'])} checks (one check is {SIGNALS[signal].check}), "
            f"{part_of(facts['flagged_sessions'], facts['checked_sessions'])} checked sessions · "
            f"checked: {part_of(facts['checked_sessions'], facts['sessions'])} sessions, the rest is unknown"
        )
        if facts["state"] == "never_checked":
            say("Nothing was judged on these days: none found does not mean that there was none.")
        if facts["unextracted_sessions"]:
            say(
                f"{facts['unextracted_sessions']:,} more sessions lie on days on which nobody looked."
            )
    say_what_it_rests_on(store, scope, finds=True)
