"""Quality signals over any range of session days, with what each share is of.

Belongs here: SQL on `quality_daily`. Does not: single detections (`detections.py`), definitions (`signals.py`).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from stdm_platform.insight.asking import frame, share
from stdm_platform.insight.coverage import never_extracted, require
from stdm_platform.insight.scope import Scope
from stdm_platform.insight.signals import SIGNALS
from stdm_platform.marts import MartStore

REPORT_COLUMNS = """
    sum(checks)::bigint as checks,
    sum(flagged)::bigint as flagged,
    {flagged_share} as flagged_share,
    sum(delivered)::bigint as delivered,
    sum(unreadable)::bigint as unreadable,
    sum(sessions) filter (state <> 'not_extracted')::bigint as sessions,
    sum(checked_sessions)::bigint as checked_sessions,
    {checked} as checked_session_share,
    sum(flagged_sessions)::bigint as flagged_sessions,
    {flagged_sessions} as flagged_session_share,
    coalesce(sum(sessions) filter (state = 'not_extracted'), 0)::bigint as unextracted_sessions,
    case
        when count_if(state = 'checked') > 0 then 'checked'
        when count_if(state = 'never_checked') > 0 then 'never_checked'
        else 'not_extracted'
    end as state
""".format(
    flagged_share=share("sum(flagged)", "sum(checks)"),
    checked=share("sum(checked_sessions)", "sum(sessions) filter (state <> 'not_extracted')"),
    flagged_sessions=share("sum(flagged_sessions)", "sum(checked_sessions)"),
)


def quality_report(store: MartStore, scope: Scope, *, by_agent: bool = False) -> pl.DataFrame:
    """The quality signals: how many verdicts there are, and how many of them are bad.

    Returns:
        One row per signal, or per `agent_name` and signal: `checks` (verdicts that can be read, the
        denominator of `flagged_share`), `flagged`, `delivered` (groundedness only: flagged answers that
        reached the user), `unreadable` (verdicts that are in neither), `sessions` (of days on which the
        objects were extracted), `checked_sessions` with `checked_session_share` of them (the rest is
        unknown, not clean), `flagged_sessions` with `flagged_session_share` of those checked,
        `unextracted_sessions` (of days on which nobody looked), `state` (`checked`, `never_checked`:
        nothing was judged, `not_extracted`: figures are null) and `definition`. Shares are between 0
        and 1; counts are of all rows, never capped.

    Raises:
        NotExtractedError: of none of the signals the objects were extracted.
    """
    where, values = scope.where()
    keys = "agent_name, signal" if by_agent else "signal"
    report = frame(
        store,
        f"""
        select {keys}, {REPORT_COLUMNS}
        from quality_daily
        where {where}
        group by {keys}
        order by {keys}
        """,
        values,
    )
    if not report.is_empty() and set(report["state"].to_list()) == {"not_extracted"}:
        needed = sorted({name for signal in SIGNALS.values() for name in signal.objects})
        raise never_extracted(needed, scope, "a quality report", texts=True)
    return _in_order(report, by_agent)


def signal_facts(store: MartStore, scope: Scope, signal: str) -> dict[str, Any]:
    """The row of one signal in the report of the scope; no values without sessions.

    Raises:
        NotExtractedError: the objects of the signal were never extracted.
    """
    where, values = scope.where()
    rows = frame(
        store,
        f"select signal, {REPORT_COLUMNS} from quality_daily where {where} and signal = ? group by signal",
        [*values, signal],
    )
    if rows.is_empty():
        return {}
    facts = rows.row(0, named=True)
    if facts["state"] == "not_extracted":
        if SIGNALS[signal].objects == (
            "steps",
        ):  # which reach their session through interactions only
            require(store, scope, ("interactions",))
        raise never_extracted(SIGNALS[signal].objects, scope, signal.replace("_", " "), texts=True)
    return facts


def _in_order(report: pl.DataFrame, by_agent: bool) -> pl.DataFrame:
    """Agents by name, signals as `SIGNALS` lists them, each with its definition."""
    order = {name: number for number, name in enumerate(SIGNALS)}
    said = {name: signal.definition for name, signal in SIGNALS.items()}
    signal = pl.col("signal")
    report = report.with_columns(
        signal.replace_strict(said, default=None, return_dtype=pl.String).alias("definition"),
        signal.replace_strict(order, default=len(order), return_dtype=pl.Int64).alias("order"),
    )
    return report.sort([*(["agent_name"] if by_agent else []), "order", "signal"]).drop("order")
