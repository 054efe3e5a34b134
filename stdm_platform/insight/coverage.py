"""What an answer rests on: which of the objects that it needs were extracted for its session days.

Belongs here: refusing to answer with zero what was never looked at. Does not: completeness of sessions, which
the marts know themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight.asking import frame, one
from stdm_platform.insight.scope import Scope
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore

TAGS = ("tag_definitions", "tags", "tag_associations")
NEEDED = {
    "judge": TAGS,
    "quality_score": TAGS,
    "engagement": ("messages",),
    "containment": ("messages",),
}
"""What definitions of an outcome need besides interactions and steps."""


@dataclass(frozen=True)
class Coverage:
    """How many of the session days asked about hold each object."""

    days: int
    held: Mapping[str, int]

    @property
    def gaps(self) -> dict[str, int]:
        """Objects that some of the days lack, with how many days hold them."""
        return {name: count for name, count in self.held.items() if count < self.days}


def coverage(store: MartStore, scope: Scope, objects: Sequence[str]) -> Coverage:
    """On how many session days of the scope each object is held in the lake.

    Marts that were copied without their lake say nothing of it: then there are no days to speak of.
    """
    lake = Lake(store.data_dir)
    days = _session_days(store, scope) & set(lake.days("sessions"))
    return Coverage(len(days), {name: len(days & set(lake.days(name))) for name in objects})


def require(store: MartStore, scope: Scope, objects: Sequence[str]) -> Coverage:
    """The coverage; the answer would be a zero that nobody counted where it is none.

    Raises:
        NotExtractedError: sessions of the scope are held, and one of the objects on none of their days.
    """
    found = coverage(store, scope, objects)
    never = [name for name in objects if found.days and not found.held[name]]
    if never:
        raise never_extracted(never, scope)
    return found


def never_extracted(
    objects: Sequence[str], scope: Scope, what: str = "the answer", *, texts: bool = False
) -> NotExtractedError:
    """The error that says which objects are missing, and how to get them; `texts` when it needs those too."""
    tables = " ".join(f"--table {name}" for name in objects)
    or_without = ", or without their texts (STDM_TEXT)" if texts else ""
    return NotExtractedError(
        f"{' and '.join(objects)} were never extracted for {scope.days()}{or_without}, and {what} needs them.",
        action=f"Run `stdm extract --days 7 {tables}`, or for the days that you need; "
        "`stdm doctor` says whether the org has them.",
    )


def require_verdicts(store: MartStore, scope: Scope, names: Iterable[str]) -> None:
    """Refuse to look for an outcome that no definition can tell, as what they need was never extracted.

    Raises:
        NotExtractedError: every session says so.
    """
    where, values = scope.where(preview_column=False)
    listed = ", ".join(f"'{name}'" for name in names)
    seen = one(
        store,
        f"""select count(*) as verdicts, count_if(reason is distinct from 'not_extracted') as told
            from session_outcome where {where} and definition in ({listed})""",
        values,
    )
    if seen["verdicts"] and not seen["told"]:
        needed = dict.fromkeys(each for name in names for each in NEEDED.get(name, ()))
        raise never_extracted([*needed] or ["steps"], scope, "this outcome")


def require_error_texts(store: MartStore, scope: Scope) -> None:
    """Steps of which no verdict is known were read without their texts: nothing can be found in those.

    Raises:
        NotExtractedError: no step of the scope has a verdict.
    """
    where, values = scope.where(preview_column=False)
    seen = one(
        store,
        f"""select count(*) as steps, count(is_error) as told
            from session_timeline where {where} and event_kind = 'step'""",
        values,
    )
    if seen["steps"] and not seen["told"]:
        raise NotExtractedError(
            f"error texts of steps were not asked for on {scope.days()}, or the org has none.",
            action="Extract the days again with STDM_TEXT=keep: stdm extract --again.",
        )


def freshness(store: MartStore, scope: Scope) -> dict[str, Any]:
    """What the figures rest on: days, sessions, previews left out, completeness, newest session.

    `untold_sessions` are those of which it cannot be told whether they are previews; they count.
    """
    where, values = scope.with_previews().where()
    return one(
        store,
        f"""
        select
            min(session_date) as first_day,
            max(session_date) as last_day,
            count(*) as sessions,
            count(*) filter (is_preview) as preview_sessions,
            count(*) filter (is_preview is null) as untold_sessions,
            count(*) filter (completeness = 'complete') as complete_sessions,
            max(started_at) as newest_session_at
        from session_summary
        where {where}
        """,
        values,
    )


def agents(store: MartStore, scope: Scope) -> list[str]:
    """The agents with sessions on the days of the scope, those with most sessions first."""
    where, values = Scope(scope.since, scope.until, None, previews=True).where()
    names = frame(
        store,
        f"""
        select agent_name from session_summary where {where}
        group by agent_name order by count(*) desc, agent_name
        """,
        values,
    )
    return [str(name) for name in names["agent_name"].to_list()]


def _session_days(store: MartStore, scope: Scope) -> set[date]:
    where, values = scope.with_previews().where()
    days = frame(store, f"select distinct session_date from session_summary where {where}", values)
    return set(days["session_date"].to_list())
