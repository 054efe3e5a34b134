"""What an answer rests on, said on stderr: days, previews, completeness, age, what was not looked at.

Belongs here: wording of notes that reading commands share, and their scope and store. Does not: figures.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stdm_platform.cli.options import clock, day_of, settings_for
from stdm_platform.cli.output import say
from stdm_platform.errors import ArgumentError

if TYPE_CHECKING:
    from stdm_platform.insight import Scope
    from stdm_platform.marts import MartStore

NAMED = 10
"""Agents that are named when one asked for has no sessions."""


def scope_of(since: str | None, until: str | None, agent: str | None, previews: bool) -> Scope:
    """The scope of a command's flags.

    Raises:
        ArgumentError: a day is none, or the range ends before it begins.
    """
    from stdm_platform.insight import Scope

    first, end = days_of(since, until)
    return Scope(first, end, agent, previews)


def days_of(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    """The session days of a command's flags; raises as `scope_of`."""
    first, end = day_of("--since", since), day_of("--until", until)
    if first is not None and end is not None and first > end:
        raise ArgumentError(
            f"the range from {first} to {end} ends before it begins.",
            action="Give a --since before --until.",
        )
    return first, end


def store_of(org: str | None, data_dir: Path | None) -> MartStore:
    """The published marts of the data directory that the flags name."""
    from stdm_platform.marts import MartStore

    return MartStore(settings_for(org, data_dir).absolute_data_dir())


def say_what_it_rests_on(
    store: MartStore, scope: Scope, *, finds: bool = False, now: datetime | None = None
) -> None:
    """Days, sessions, previews, completeness and age; `finds` for commands that show previews.

    `now` is what age is told from, the real time without it.
    """
    from stdm_platform.insight import freshness

    facts = freshness(store, scope)
    if not facts["sessions"]:
        _say_that_nothing_matches(store, scope)
        return
    previews = "shown and marked" if finds else "counted" if scope.previews else "left out"
    newest = facts["newest_session_at"]
    say(
        f"Session days {facts['first_day']} to {facts['last_day']} (UTC) · {facts['sessions']:,} sessions, "
        f"of which {facts['preview_sessions']:,} previews ({previews}){_untold(facts)} · "
        f"{facts['complete_sessions'] / facts['sessions']:.1%} of all complete · "
        f"newest session started {newest:%Y-%m-%d %H:%M} UTC ({_ago((now or clock(None)) - newest)})"
    )


def say_gaps(store: MartStore, scope: Scope, objects: tuple[str, ...]) -> None:
    """Which of the objects that an answer needs some of its days lack."""
    from stdm_platform.insight.coverage import coverage

    found = coverage(store, scope, objects)
    for name, days in found.gaps.items():
        say(
            f"{name} are held on {days:,} of these {found.days:,} session days; the rest is unknown."
        )


def part_of(part: int | None, whole: int | None) -> str:
    """`3 of 12 (25.0%)`, or `unknown`."""
    if part is None or whole is None:
        return "unknown"
    return f"{part:,} of {whole:,}" + (f" ({part / whole:.1%})" if whole else "")


def _untold(facts: Mapping[str, Any]) -> str:
    count = facts["untold_sessions"]
    return f", {count:,} of which it is unknown whether they are (counted)" if count else ""


def _ago(age: timedelta) -> str:
    hours = age / timedelta(hours=1)
    if hours < 0:
        return "in the future"
    return f"{hours:.0f} h ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def _say_that_nothing_matches(store: MartStore, scope: Scope) -> None:
    from stdm_platform.insight import agents

    if scope.agent is not None:
        names = agents(store, scope)
        if names and scope.agent not in names:
            lowered = {name.lower(): name for name in names}
            near = difflib.get_close_matches(scope.agent.lower(), lowered, 3)
            meant = [lowered[each] for each in near] or names[:NAMED]
            say(f"No session of an agent {scope.agent!r} there. Did you mean {', '.join(meant)}?")
            return
    say('No session days match; `stdm sql "select min(session_date), max(session_date) from session_summary"` shows what is held.')  # fmt: skip
