"""What the trust layer's detectors found in the prompt and the answer of each turn.

Belongs here: verdicts of a turn, and the rows of content quality and content categories. Does not:
verdicts that steps hold (`turns.py`, `step_texts.py`).

`work_judged` has one row per turn whose calls were logged. What is planted in it is decided here, once,
and read by `planted.py` too.
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.draws import (
    bits,
    child,
    instant,
    member,
    share,
    text_list,
    uuid4,
)
from stdm_platform.sandbox.generator.step_texts import adherence
from stdm_platform.sandbox.generator.tables import insert_sql

HARMS = ("hate", "identity", "physical", "profanity", "sexual", "toxicity", "violence")
PERSONAL = ("CREDIT_CARD", "EMAIL_ADDRESS", "PERSON", "US_PHONE_NUMBER")
TOXIC_SHARE, ATTACK_SHARE, PII_SHARE, RESOLVED_SHARE = 0.008, 0.01, 0.03, 0.6
OUTPUT, INPUT = 1, 2
ODD_SHARE = 0.01
"""Scores that are no number, and rows of the category `0`."""


def plan_quality(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_judged`: the verdicts on each turn."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE work_judged AS
        SELECT c.h, c.t, c.c, c.generation_id, c.feature, c.asked_ms, c.answered_ms,
            {share("c.t", "toxic answer")} < {TOXIC_SHARE} AS toxic_output,
            {share("c.t", "toxic prompt")} < {TOXIC_SHARE} AS toxic_input,
            {member(text_list(HARMS), "c.t", "harm")} AS harm,
            {share("c.t", "attack")} < {ATTACK_SHARE} AS attacked,
            {share("c.t", "pii")} < {PII_SHARE} AS leaks, {member(text_list(PERSONAL), "c.t", "personal")} AS personal,
            CASE WHEN g.p IS NULL THEN {adherence("c.t")} ELSE {adherence("g.p")} END AS adherence,
            CASE WHEN t.turn_no = t.turn_count AND NOT s.active AND {share("c.h", "resolution is judged")} < {RESOLVED_SHARE}
                THEN CASE WHEN {share("c.h", "resolution")} < 0.7 THEN 'FULLY_RESOLVED'
                    WHEN {share("c.h", "resolution")} < 0.85 THEN 'PARTIALLY_RESOLVED' ELSE 'NOT_RESOLVED' END END AS resolution
        FROM work_call c JOIN work_turn t ON t.t = c.t JOIN work_session s ON s.h = c.h
        LEFT JOIN (SELECT t, any_value(p) AS p FROM work_step WHERE kind = 'guardrail' GROUP BY t) g ON g.t = c.t
        WHERE c.is_final""")


def insert_quality(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert a score for each side of a turn, and what each detector said."""
    values = {
        "content_quality_id": quality_id("n"),
        "generation_id": "generation_id",
        "content_type": f"CASE n WHEN {OUTPUT} THEN 'OUTPUT' ELSE 'INPUT' END",
        # filled for answers only
        "is_toxicity_detected": f"CASE WHEN n = {OUTPUT} THEN CASE WHEN toxic_output THEN 'true' ELSE 'false' END END",
        "feature": "feature",
        "occurred_at": instant(f"CASE n WHEN {OUTPUT} THEN answered_ms + 40 ELSE asked_ms + 3 END"),
        "cloud": "'Platform'",
    }
    sides = f"FROM (SELECT *, unnest([{OUTPUT}, {INPUT}]) AS n FROM work_judged)"
    con.execute(insert_sql(dmo("content_quality"), values, sides, org_id))
    values = {
        "content_category_id": "category_id",
        "parent_id": "parent_id",
        "detector_type": "detector",
        "category": "category",
        "category_value": "category_value",
        "occurred_at": instant("answered_ms + 60"),
        "cloud": "'Platform'",
    }
    con.execute(insert_sql(dmo("content_categories"), values, f"FROM ({categories_sql()})", org_id))


def quality_id(side: str) -> str:
    """The key of the score of one side of a turn."""
    return uuid4(bits("t", "quality"), bits(child("t", f"9000 + {side}"), "quality"))


def categories_sql() -> str:
    """One row per category and turn: its key, what it is on, what it says, whether it is planted."""
    scored = f"""
        SELECT *, unnest({text_list(("safety_score", *HARMS))}) AS category FROM (
            SELECT *, unnest(CASE WHEN toxic_input THEN [{OUTPUT}, {INPUT}] ELSE [{OUTPUT}] END) AS side FROM work_judged)"""
    key = child("t", "hash(detector, category, side) % 1000000007")
    is_harm = "category = harm AND CASE side WHEN 1 THEN toxic_output ELSE toxic_input END"
    drawn = f"round({share('k', 'value')}, 4)"
    calm = (
        f"""CASE WHEN category = 'safety_score' THEN 0.9 + {drawn} / 10 ELSE {drawn} * 0.49 END"""
    )
    toxic = f"CASE WHEN planted THEN 0.5 + {drawn} / 2 WHEN category = 'safety_score' AND is_toxic THEN {drawn} / 4 ELSE {calm} END"
    flag = f"CASE WHEN {share('k', 'flag form')} < 0.3 THEN CASE WHEN planted THEN '1.0' ELSE '0.0' END ELSE CASE WHEN planted THEN 'true' ELSE 'false' END END"
    return f"""
        WITH said AS (
            SELECT *, 'TOXICITY' AS detector, {is_harm} AS planted, CASE side WHEN 1 THEN toxic_output ELSE toxic_input END AS is_toxic FROM ({scored})
            UNION ALL SELECT *, 1, '0', 'TOXICITY', false, false FROM work_judged WHERE {share("t", "odd category")} < {ODD_SHARE}
            UNION ALL SELECT *, 1, unnest(['aggregatePromptAttackScore', 'isPromptAttackDetected']), 'PROMPT_DEFENSE', attacked, false FROM work_judged
            UNION ALL SELECT *, 1, personal, 'PII', true, false FROM work_judged WHERE leaks
            UNION ALL SELECT *, 1, upper(adherence[1]) || lower(adherence[2:]), 'InstructionAdherence', adherence = 'LOW', false FROM work_judged
            UNION ALL SELECT *, 1, resolution, 'TaskResolution', resolution <> 'FULLY_RESOLVED', false FROM work_judged WHERE resolution IS NOT NULL
        ),
        keyed AS (SELECT *, {key} AS k FROM said)
        SELECT *, {uuid4(bits("t", "category"), bits("k", "category"))} AS category_id,
            CASE WHEN detector = 'TOXICITY' THEN {quality_id("side")} ELSE generation_id END AS parent_id,
            CASE WHEN category = '0' THEN '0.0'
                WHEN detector = 'TOXICITY' AND NOT planted AND {share("k", "odd value")} < {ODD_SHARE} THEN 'n/a'
                WHEN detector = 'TOXICITY' THEN format('{{:.4f}}', {toxic})
                WHEN category = 'aggregatePromptAttackScore' THEN format('{{:.4f}}', CASE WHEN planted THEN 0.8 + {drawn} / 5 ELSE {drawn} / 5 END)
                WHEN category = 'isPromptAttackDetected' THEN {flag}
                WHEN detector = 'PII' THEN '0.9500' ELSE '1.0' END AS category_value
        FROM keyed"""
