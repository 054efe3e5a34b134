"""Single detections: where an answer was ungrounded, toxic, against its instructions or left a task open.

Belongs here: SQL on `quality_signals`. Does not: rates (`quality.py`).

Previews are shown and marked. The newest come first; the total is of all, whatever the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from stdm_platform.errors import ArgumentError
from stdm_platform.insight.asking import frame, one
from stdm_platform.insight.quality import signal_facts
from stdm_platform.insight.scope import Scope
from stdm_platform.marts import MartStore

LIMIT = 100
WHERE_IT_WAS = """
    session_id, agent_name, is_preview, turn_number, interaction_id, step_id,
"""
ANSWERS = """
    select session_id, interaction_id, session_date, string_agg(text, chr(10) order by event_number) as answer_text
    from session_timeline
    where event_kind = 'message' and lower(event_type) = 'output'
        and session_date in (select distinct session_date from hits)
        and session_id in (select session_id from hits)
    group by all
"""


@dataclass(frozen=True)
class Found:
    """What a finder found: at most `limit` rows, how many there are in all, and what was looked at.

    `facts` has the denominators by name: those of `quality_report` for a signal, or `sessions` and what is
    not known of them.
    """

    rows: pl.DataFrame
    total: int
    facts: dict[str, Any]


def find_hallucinations(store: MartStore, scope: Scope, limit: int | None = LIMIT) -> Found:
    """Answers that a groundedness validation called ungrounded, in any of the encodings.

    Returns:
        One row per failed validation: `session_id`, `agent_name`, `is_preview`, `turn_number`,
        `interaction_id`, `step_id`, `detected_at` (UTC), `verdict` (normalised), `raw_verdict`,
        `is_delivered` (whether the answer reached the user; null when nobody can tell), `reason`
        (text), `answer_text` (what the agent said in that turn).

    Raises:
        NotExtractedError: steps were never extracted.
        ArgumentError: the limit is negative.
    """
    return _found(
        store, scope, limit, "groundedness",
        "verdict, raw_verdict, is_delivered, detail as reason", with_answer=True,
    )  # fmt: skip


def find_toxic_responses(store: MartStore, scope: Scope, limit: int | None = LIMIT) -> Found:
    """Texts that the trust layer found toxic, whoever wrote them.

    Returns:
        One row per text: where it was as in `find_hallucinations`, `detected_at` (UTC), `generation_id`,
        `content_side` (`OUTPUT` is the agent's), `categories` (those of 0.5 and more, most toxic
        first, separated by commas; null when only the whole was judged), `score` (the highest),
        `bound_by` (how the text was bound to its step), `answer_text` (what the agent said in that turn).

    Raises:
        NotExtractedError: neither content quality nor categories were ever extracted.
        ArgumentError: the limit is negative.
    """
    return _found(
        store, scope, limit, "toxicity",
        "generation_id, content_side, categories, score, bound_by", with_answer=True,
    )  # fmt: skip


def find_low_instruction_adherence(
    store: MartStore, scope: Scope, limit: int | None = LIMIT
) -> Found:
    """Answers of low instruction adherence.

    Returns:
        One row per verdict LOW: where it was as in `find_hallucinations`, `detected_at` (UTC),
        `generation_id`, `verdict`, `raw_verdict`, `reason` (text), `bound_by`.

    Raises:
        NotExtractedError: the objects with such verdicts were never extracted.
        ArgumentError: the limit is negative.
    """
    columns = "generation_id, verdict, raw_verdict, detail as reason, bound_by"
    return _found(store, scope, limit, "instruction_adherence", columns)


def find_unresolved_tasks(store: MartStore, scope: Scope, limit: int | None = LIMIT) -> Found:
    """Tasks that were judged, and not as fully resolved; a task that nobody judged is none of them.

    Returns:
        One row per verdict: where it was as in `find_hallucinations`, `detected_at` (UTC),
        `generation_id`, `verdict`, `raw_verdict`, `reason` (text), `bound_by`.

    Raises:
        NotExtractedError: the objects with such verdicts were never extracted.
        ArgumentError: the limit is negative.
    """
    columns = "generation_id, verdict, raw_verdict, detail as reason, bound_by"
    return _found(store, scope, limit, "task_resolution", columns)


def limit_clause(limit: int | None) -> str:
    """The SQL of a limit; None is none.

    Raises:
        ArgumentError: it is negative.
    """
    if limit is not None and limit < 0:
        raise ArgumentError(f"The limit {limit} is negative.", action="Give 0 or more.")
    return "" if limit is None else f"limit {limit:d}"


def _found(
    store: MartStore, scope: Scope, limit: int | None, signal: str, columns: str, *, with_answer: bool = False
) -> Found:  # fmt: skip
    at_most = limit_clause(limit)
    facts = signal_facts(store, scope.with_previews(), signal)
    where, values = scope.with_previews().where()
    source = f"{_one_per_text(where) if signal == 'toxicity' else _flagged(where)}"
    values = [*values, signal]
    total = one(store, f"with flagged as ({source}) select count(*) as total from flagged", values)
    answers = "left join answers using (session_id, interaction_id, session_date)"
    rows = frame(
        store,
        f"""
        with flagged as ({source}),
        hits as (select * from flagged order by detected_at desc, detection_id {at_most})
        {f", answers as ({ANSWERS})" if with_answer else ""}
        select {WHERE_IT_WAS} detected_at, {columns} {", answer_text" if with_answer else ""}
        from hits {answers if with_answer else ""}
        order by detected_at desc, detection_id
        """,
        values,
    )
    return Found(rows, int(total["total"]), facts)


def _flagged(where: str) -> str:
    """One row per verdict that rates count, too: a guardrail may only repeat what the audit data says."""
    return (
        f"select * from quality_signals where {where} and signal = ? and is_flagged and is_counted"
    )


def _one_per_text(where: str) -> str:
    """One row per text: a text has one verdict and one row for each category that was found."""
    return f"""
        select
            session_id, agent_name, is_preview, turn_number, interaction_id, step_id, session_date,
            subject_id as detection_id,
            max(generation_id) as generation_id,
            max(content_side) as content_side,
            string_agg(category, ', ' order by score desc, category) as categories,
            max(score) as score,
            max(bound_by) as bound_by,
            min(detected_at) as detected_at,
        from quality_signals
        where {where} and signal = ? and is_flagged
        group by session_id, agent_name, is_preview, turn_number, interaction_id, step_id, session_date, subject_id
        having bool_or(is_counted)
    """
