"""Actions and steps over any range of session days.

Belongs here: SQL on `action_summary` and `step_summary`. Does not: single calls (`finders.py`).
"""

from __future__ import annotations

import textwrap

import polars as pl

from stdm_platform.insight.asking import frame, share
from stdm_platform.insight.coverage import require
from stdm_platform.insight.scope import Scope
from stdm_platform.marts import MartStore

NEEDED = ("interactions", "steps")
ERROR_CLASSES = ("timeout", "access", "not_found", "limit", "input", "other")
FIGURES = f"""
    sum(calls)::bigint as calls,
    sum(sessions)::bigint as sessions,
    sum(error_count)::bigint as error_count,
    sum(unknown_error_count)::bigint as unknown_error_count,
    {share("sum(error_count)", "sum(calls) - sum(unknown_error_count)")} as error_share,
    sum(slow_calls)::bigint as slow_calls,
    sum(timed_calls)::bigint as timed_calls,
    percentile_ms(list(duration_sketch), 0.5) as p50_ms,
    percentile_ms(list(duration_sketch), 0.95) as p95_ms,
    percentile_ms(list(duration_sketch), 0.99) as p99_ms,
    max(max_ms)::bigint as max_ms"""
BY_CLASS = ",".join(f"\n    sum({name}_errors)::bigint as {name}_errors" for name in ERROR_CLASSES)
STEPS = f"""
    select
        step_type,
        step_name,{textwrap.indent(FIGURES, "    ")}{{by_class}}
    from step_summary
    where {{where}}
    group by step_type, step_name
    order by calls desc, step_type, step_name
"""
"""What `step_overview` asks, for a report that shows it: `{where}` is the scope, `{by_class}` errors by class."""


def action_overview(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Actions by agent.

    Returns:
        One row per `agent_name, action_name`: `calls`, `sessions` (with at least one call),
        `error_count`, `unknown_error_count` (calls of which nobody can tell), `error_share` (errors over
        calls that can be told), `slow_calls` (more than 10 s), `timed_calls` (with start and end: the
        denominator of times), `p50_ms`, `p95_ms`, `p99_ms` (within 1 %), `max_ms`, and the errors by
        class (`timeout_errors`, …); most calls first. Errors are null when of no call they can be told.

    Raises:
        NotExtractedError: steps or interactions of these days were never extracted.
    """
    require(store, scope, NEEDED)
    where, values = scope.where()
    return frame(
        store,
        f"""
        select agent_name, action_name, {FIGURES},{BY_CLASS}
        from action_summary
        where {where}
        group by agent_name, action_name
        order by calls desc, agent_name, action_name
        """,
        values,
    )


def step_overview(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Steps by type and name, over all agents of the scope.

    Returns:
        One row per `step_type, step_name`, otherwise as `action_overview`.

    Raises:
        NotExtractedError: steps or interactions of these days were never extracted.
    """
    require(store, scope, NEEDED)
    where, values = scope.where()
    asked = STEPS.replace("{by_class}", f",{BY_CLASS}").replace("{where}", where)
    return frame(store, asked, values)
