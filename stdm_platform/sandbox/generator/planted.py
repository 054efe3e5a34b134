"""What is planted in an org for quality, errors and feedback: the truth that finders are held against.

Belongs here: the table of planted cases, and reading it. Does not: deciding any (each kind is decided
where its rows are made), payloads: nothing here is read back from a row's text.

    kind                value                       how encoded
    groundedness        NOT_GROUNDED, UNGROUNDED    classic json, classic html, classic python, newer
    toxicity            harm, or null for the whole content_quality, content_categories; side in `detail`
    prompt_attack                                   content_categories
    pii                 kind of data                content_categories
    low_adherence       LOW                         content_categories, guardrail python, flags or result
    unresolved          verdict                     content_categories, guardrail result
    escalation          CLOSED_TRANSFERRED, escalate_to_human   session_end_step, router
    topic_switch        the new topic; the old one in `detail`
    action_error        text of the error; class by its wording
    slow_action         milliseconds, over 10 s
    feedback            good, bad                   GOOD, BAD, UP, DOWN
    quality_score, deflection, abandonment, intent  value of the tag    tag_associations
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from stdm_platform.sandbox.generator.draws import share
from stdm_platform.sandbox.generator.feedback import BAD
from stdm_platform.sandbox.generator.quality import categories_sql, quality_id
from stdm_platform.sandbox.generator.step_texts import ESCAPED_SHARE, PYTHON_SHARE, error
from stdm_platform.sandbox.generator.steps import step_id
from stdm_platform.sandbox.generator.tags import ABANDONMENT, DEFLECTION, SCORE
from stdm_platform.sandbox.generator.turns import NEGATIVE

TABLE = "sandbox_planted"
COLUMNS = "kind, session_id, interaction_id, turn_number, step_id, row_id, value, encoding, detail"
SLOW_MS = 10_000


@dataclass(frozen=True)
class Planted:
    """One planted case; `row_id` is the key of the row that says it, null where no single one does."""

    kind: str
    session_id: str
    interaction_id: str | None
    turn_number: int | None
    step_id: str | None
    row_id: str | None
    value: str | None
    encoding: str | None
    detail: str | None


def planted(con: duckdb.DuckDBPyConnection) -> list[Planted]:
    """Every planted case of a generated org; none of one that was loaded from transcripts."""
    held = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [TABLE]).fetchall()
    if not held:
        return []
    return [Planted(*row) for row in con.execute(f"SELECT {COLUMNS} FROM {TABLE}").fetchall()]


def create_planted(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table, empty."""
    con.execute(
        f"CREATE OR REPLACE TABLE {TABLE} (kind VARCHAR, session_id VARCHAR, interaction_id VARCHAR, "
        "turn_number BIGINT, step_id VARCHAR, row_id VARCHAR, value VARCHAR, encoding VARCHAR, detail VARCHAR)"
    )


def note_planted(con: duckdb.DuckDBPyConnection) -> None:
    """Note what the work tables of a chunk plant."""
    for cases in (_of_steps(), _of_turns(), _of_detectors(), _of_people()):
        con.execute(f"INSERT INTO {TABLE} ({COLUMNS}) {cases}")


def _of_steps() -> str:
    """Verdicts, errors, slowness and the way out, as steps hold them."""
    drawn = share("p", "encoding")
    form = f"CASE WHEN planner = 'newer' THEN 'newer' WHEN {drawn} < {PYTHON_SHARE} THEN 'classic python' WHEN {drawn} < {PYTHON_SHARE + ESCAPED_SHARE} THEN 'classic html' ELSE 'classic json' END"
    verdict = "CASE WHEN starts_with(kind, 'second') THEN second_verdict ELSE verdict END"
    guard = f"CASE WHEN planner = 'classic' THEN 'python' WHEN {share('p', 'guardrail form')} < 0.5 THEN 'flags' ELSE 'result' END"
    place = f"session_id, interaction_id, turn_no, {step_id('p')} AS step_id"
    own = step_id("p")
    return f"""
        WITH step AS (
            SELECT p.*, t.* EXCLUDE (h, t), s.session_id, s.planner, s.no_error, k.action_errors[action_place] AS error_templates
            FROM work_step p JOIN work_turn t USING (t) JOIN work_session s ON s.h = p.h
            JOIN work_topic k ON k.agent_no = t.topic_agent_no AND k.topic_place = t.topic_place
            WHERE kind IN ('validation', 'second validation', 'groundedness', 'second groundedness', 'action', 'guardrail', 'router', 'end')
        )
        SELECT 'groundedness', {place}, {own}, {verdict}, {form}, NULL FROM step
        WHERE kind IN ('validation', 'second validation', 'groundedness', 'second groundedness') AND {verdict} IN {NEGATIVE}
        UNION ALL SELECT 'low_adherence', {place}, {own}, 'LOW', 'guardrail ' || {guard}, NULL FROM step
        WHERE kind = 'guardrail' AND {share("p", "adherence")} < 0.06
        UNION ALL SELECT 'unresolved', {place}, {own}, 'UNRESOLVED', 'guardrail result', NULL FROM step
        WHERE kind = 'guardrail' AND {guard} = 'result' AND {share("p", "adherence")} < 0.2
        UNION ALL SELECT 'action_error', {place}, {own}, {error()}, planner, NULL FROM step WHERE kind = 'action' AND failed
        UNION ALL SELECT 'slow_action', {place}, {own}, CAST(step_ms AS VARCHAR), NULL, NULL FROM step WHERE kind = 'action' AND step_ms > {SLOW_MS}
        UNION ALL SELECT 'escalation', {place}, {own}, 'CLOSED_TRANSFERRED', 'session_end_step', NULL FROM step
        WHERE kind = 'end' AND session_id IN (SELECT session_id FROM work_session WHERE closed_as = 'CLOSED_TRANSFERRED')
        UNION ALL SELECT 'escalation', {place}, {own}, 'escalate_to_human', 'router', NULL FROM step WHERE kind = 'router' AND hands_over"""


def _of_turns() -> str:
    """Changes of topic between turns that have one."""
    return """
        SELECT 'topic_switch', session_id, interaction_id, turn_no, NULL, interaction_id, topic_shown, NULL, before FROM (
            SELECT *, lag(topic_shown) OVER (PARTITION BY h ORDER BY turn_no) AS before FROM (
                SELECT t.h, t.turn_no, t.interaction_id, s.session_id,
                    CASE WHEN related THEN topic_api_name ELSE topic END AS topic_shown
                FROM work_turn t JOIN work_session s USING (h)
                WHERE topic_api_name <> 'NOT_SET')
        ) WHERE before <> topic_shown"""


def _of_detectors() -> str:
    """What the trust layer's objects hold, each row that flags something."""
    place = f"s.session_id, t.interaction_id, t.turn_no, {step_id('j.c', 't.t')}"
    joined = "JOIN work_turn t ON t.t = j.t JOIN work_session s ON s.h = j.h"
    side = "CASE j.side WHEN 1 THEN 'OUTPUT' ELSE 'INPUT' END"
    kind = "CASE detector WHEN 'TOXICITY' THEN 'toxicity' WHEN 'PII' THEN 'pii' WHEN 'InstructionAdherence' THEN 'low_adherence' WHEN 'TaskResolution' THEN 'unresolved' ELSE 'prompt_attack' END"
    return f"""
        SELECT 'toxicity', {place}, {quality_id("1").replace("xor(t,", "xor(j.t,").replace("hash(t,", "hash(j.t,")}, NULL, 'content_quality', 'OUTPUT'
        FROM work_judged j {joined} WHERE toxic_output
        UNION ALL SELECT {kind}, {place}, category_id,
            CASE detector WHEN 'PROMPT_DEFENSE' THEN NULL WHEN 'InstructionAdherence' THEN upper(category) ELSE category END,
            'content_categories', CASE WHEN detector = 'TOXICITY' THEN {side} END
        FROM ({categories_sql()}) j {joined} WHERE planted AND category <> 'aggregatePromptAttackScore'"""


def _of_people() -> str:
    """Thumbs, and tags."""
    return f"""
        SELECT 'feedback', s.session_id, t.interaction_id, t.turn_no, NULL, feedback_id,
            CASE WHEN thumb IN {BAD} THEN 'bad' ELSE 'good' END, thumb, CAST(given_ms AS VARCHAR)
        FROM work_feedback f JOIN work_turn t ON t.t = f.t JOIN work_session s ON s.h = f.h
        UNION ALL SELECT CASE definition WHEN '{SCORE}' THEN 'quality_score' WHEN '{DEFLECTION}' THEN 'deflection'
                WHEN '{ABANDONMENT}' THEN 'abandonment' ELSE 'intent' END,
            s.session_id, NULL, NULL, NULL, moment_id, tag_value, 'tag_associations', NULL
        FROM work_marked m JOIN work_session s USING (h)"""
