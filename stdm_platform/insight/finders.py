"""Find sessions: those that failed, and those that filters describe.

Belongs here: SQL on sessions and their events. Does not: quality signals (`detections.py`).

Previews are shown and marked. The newest come first; the total is of all, whatever the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

from stdm_platform.errors import ArgumentError
from stdm_platform.insight.asking import frame, one
from stdm_platform.insight.coverage import require, require_error_texts, require_verdicts
from stdm_platform.insight.detections import LIMIT, Found, limit_clause
from stdm_platform.insight.scope import Scope
from stdm_platform.marts import MartStore

SIGNS = ("end_type", "session_end_step", "judge", "router")
"""Definitions that say themselves how a session ended; the others are derived from them, or guess."""
FAILURES = ("escalated", "abandoned")
OUTCOMES = {
    "end_type": ("escalated", "deflected", "abandoned"),
    "session_end_step": ("escalated", "deflected"),
    "judge": ("escalated", "abandoned", "deflected", "ambiguous"),
    "router": ("escalated", "not_escalated"),
    "containment": ("contained", "escalated"),
    "engagement": ("engaged", "not_engaged"),
    "short_abandoned": ("short_abandoned", "not_short_abandoned"),
    "quality_score": ("high", "medium", "low", "very_low"),
}
"""What each definition of an outcome can say; `unknown` stands for none of them."""
UNKNOWN = "unknown"
Term = tuple[str, list[Any]]
"""A SQL condition on `session_summary` and the values of its placeholders."""
SESSION_COLUMNS = """
    session_id, agent_name, agent_version, channel, is_preview, started_at, duration_ms, turn_count,
    action_step_count, error_count, first_topic, last_topic, outcome, completeness
"""


@dataclass(frozen=True)
class Filters:
    """What a session has to have, all of it; None asks for nothing.

    `topic`: a turn on it. `action`: a call of it, by its whole name or what follows the topic's dot.
    `error`: a step whose error text holds these words; with `action`, a call of it. `outcome` of `definition`, of any when that is
    None. `min_seconds` and `max_seconds`: how long it took, both included. Topics, actions, channels and error
    texts are compared without regard to case.

    Raises:
        ArgumentError: the bounds leave no time between them, or one is no number.
    """

    topic: str | None = None
    action: str | None = None
    error: str | None = None
    outcome: str | None = None
    definition: str | None = None
    channel: str | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        least, most = self.min_seconds, self.max_seconds
        if any(isnan(each) for each in (least, most) if each is not None):
            raise ArgumentError("A number of seconds is none (nan).", action="Give a number.")
        if least is not None and most is not None and least > most:
            raise ArgumentError(
                f"No session takes at least {least:g} and at most {most:g} seconds.",
                action="Give the smaller number as --min-seconds.",
            )


def find_failed_sessions(store: MartStore, scope: Scope, limit: int | None = LIMIT) -> Found:
    """Sessions that ended badly by any of `SIGNS`, or in which a step failed.

    Returns:
        One row per session: `session_id`, `agent_name`, `agent_version`, `channel`, `is_preview`,
        `started_at` (UTC), `duration_ms`, `turn_count`, `action_step_count`, `error_count`, `first_topic`,
        `last_topic`, `outcome`, `completeness`, and `reasons`: each definition of an outcome that says
        escalated or abandoned, and the number of failed steps. Facts: `sessions` and
        `unknown_sessions`, of which no definition says anything.

    Raises:
        NotExtractedError: steps or interactions were never extracted.
        ArgumentError: the limit is negative.
    """
    at_most = limit_clause(limit)
    require(store, scope, ("interactions", "steps"))
    where, values = scope.with_previews().where()
    signs = ", ".join(f"'{name}'" for name in SIGNS)
    failures = ", ".join(f"'{name}'" for name in FAILURES)
    common = f"""
        with signs as (
            select
                session_id,
                string_agg(definition || ': ' || outcome, ', ' order by definition)
                    filter (outcome in ({failures})) as said,
                count(outcome) as verdicts
            from session_outcome
            where {where} and definition in ({signs})
            group by session_id
        ),
        judged as (
            select
                {SESSION_COLUMNS},
                nullif(concat_ws(', ', said, case when error_count > 0 then 'failed steps: ' || error_count end), '')
                    as reasons,
                coalesce(verdicts, 0) as verdicts
            from session_summary
            left join signs using (session_id)
            where {where}
        )
    """
    facts = one(
        store,
        f"""{common} select count(*) as sessions, count(reasons) as total,
            count(*) filter (verdicts = 0) as unknown_sessions from judged""",
        [*values, *values],
    )
    rows = frame(
        store,
        f"""{common} select {SESSION_COLUMNS}, reasons from judged where reasons is not null
            order by started_at desc, session_id {at_most}""",
        [*values, *values],
    )
    return Found(rows, int(facts.pop("total")), facts)


def find_sessions(
    store: MartStore, scope: Scope, filters: Filters, limit: int | None = LIMIT
) -> Found:
    """Sessions that have all that the filters ask for.

    Returns:
        One row per session, with the columns of `find_failed_sessions` but `reasons`. Facts: `sessions`,
        from which they were chosen.

    Raises:
        NotExtractedError: what a filter looks at was never extracted, or its text was never asked for.
        ArgumentError: the limit is negative, or a definition does not know the outcome.
    """
    at_most = limit_clause(limit)
    where, scoped = scope.with_previews().where()
    terms = _terms(store, scope, filters)
    sql = f"from session_summary where {' and '.join([where, *(term for term, _ in terms)])}"
    values = [*scoped, *(value for _, given in terms for value in given)]
    total = one(store, f"select count(*) as total {sql}", values)
    facts = one(store, f"select count(*) as sessions from session_summary where {where}", scoped)
    rows = frame(
        store,
        f"select {SESSION_COLUMNS} {sql} order by started_at desc, session_id {at_most}",
        values,
    )
    return Found(rows, int(total["total"]), facts)


def _terms(store: MartStore, scope: Scope, filters: Filters) -> list[Term]:
    terms: list[Term] = []
    if filters.topic is not None:
        require(store, scope, ("interactions",))
        terms.append(
            _events(scope, "event_kind = 'turn' and lower(topic) = lower(?)", filters.topic)
        )
    if filters.action is not None or filters.error is not None:
        terms.append(_step(store, scope, filters))
    if filters.definition is not None and filters.outcome is None:
        raise ArgumentError("A definition needs an outcome to look for.", action="Give both.")
    if filters.outcome is not None:
        terms.append(_outcome(store, scope, filters.outcome, filters.definition))
    if filters.channel is not None:
        terms.append(("lower(channel) = lower(?)", [filters.channel]))
    for sign, seconds in ((">=", filters.min_seconds), ("<=", filters.max_seconds)):
        if seconds is not None:
            terms.append((f"duration_ms {sign} ?", [seconds * 1000]))
    return terms


def _step(store: MartStore, scope: Scope, filters: Filters) -> Term:
    """One step that is the action, has the error, or both."""
    require(store, scope, ("interactions", "steps"))
    terms, values = ["event_kind = 'step'"], []
    if filters.action is not None:
        terms.append("event_type = 'ACTION_STEP'")
        terms.append("lower(?) in (lower(name), lower(split_part(name, '.', -1)))")
        values.append(filters.action)
    if filters.error is not None:
        require_error_texts(store, scope)
        terms.append("is_error and contains(lower(error_text), lower(?))")
        values.append(filters.error)
    return _events(scope, " and ".join(terms), *values)


def _events(scope: Scope, condition: str, *values: str) -> Term:
    where, scoped = scope.where(preview_column=False)
    asked = f"select session_id from session_timeline where {where} and {condition}"
    return f"session_id in ({asked})", [*scoped, *values]


def _outcome(store: MartStore, scope: Scope, outcome: str, definition: str | None) -> Term:
    known = OUTCOMES if definition is None else {definition: OUTCOMES.get(definition, ())}
    if definition is not None and definition not in OUTCOMES:
        raise ArgumentError(
            f"--definition {definition!r} is none.", action=f"Choose from {', '.join(OUTCOMES)}."
        )
    choices = sorted({each for said in known.values() for each in said})
    if outcome not in (*choices, UNKNOWN):
        raise ArgumentError(
            f"--outcome {outcome!r} is none that {definition or 'a definition'} can say.",
            action=f"Choose from {', '.join([*choices, UNKNOWN])}.",
        )
    require(store, scope, ("interactions", "steps"))
    sayers = [name for name, said in known.items() if outcome in said]
    if outcome == UNKNOWN:
        sayers = list(SIGNS if definition is None else known)
    require_verdicts(store, scope, sayers)
    where, scoped = scope.where(preview_column=False)
    asked = f"select session_id from session_outcome where {where}"
    if outcome == UNKNOWN:
        names = SIGNS if definition is None else (definition,)
        listed = ", ".join(f"'{name}'" for name in names)
        some = f"{asked} and definition in ({listed}) and outcome is not null"
        return f"session_id not in ({some})", scoped
    if definition is None:
        return f"session_id in ({asked} and outcome = ?)", [*scoped, outcome]
    return f"session_id in ({asked} and outcome = ? and definition = ?)", [
        *scoped,
        outcome,
        definition,
    ]
