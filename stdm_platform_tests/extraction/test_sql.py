from __future__ import annotations

from datetime import date

import duckdb
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.data360 import Parameter
from stdm_platform.extraction import SourceShape, count_query, window_query
from stdm_platform.lake import Window

WINDOW = Window.of_day(date(2026, 1, 14))
MESSAGES = dmo("messages")
SHAPE = SourceShape(
    MESSAGES,
    "ssot__AiAgentInteractionMessage__dlm",
    {
        "message_id": "ssot__Id__c",
        "interaction_id": "ssot__AiAgentInteractionId__c",
        "sent_at": "ssot__MessageSentTimestamp__c",
        "content_text": "ssot__ContentText__c",
    },
    (),
    {},
)
GOLDEN = """\
SELECT
    "ssot__Id__c" AS "message_id",
    "ssot__AiAgentInteractionId__c" AS "interaction_id",
    "ssot__MessageSentTimestamp__c" AS "sent_at",
    "ssot__ContentText__c" AS "content_text"
FROM "ssot__AiAgentInteractionMessage__dlm"
WHERE "ssot__MessageSentTimestamp__c" >= CAST(? AS TIMESTAMPTZ)
  AND "ssot__MessageSentTimestamp__c" < CAST(? AS TIMESTAMPTZ)
  AND "ssot__MessageSentTimestamp__c" < CAST('2026-01-15T00:00:00.000123Z' AS TIMESTAMPTZ)"""


def test_a_window_is_asked_with_quoted_names_and_instants_as_parameters() -> None:
    sql, parameters = window_query(SHAPE, WINDOW, nonce=123)
    assert sql == GOLDEN
    assert parameters == (
        Parameter("varchar", "2026-01-14T00:00:00.000Z"),
        Parameter("varchar", "2026-01-15T00:00:00.000Z"),
    )


def test_without_text_no_text_column_is_asked_for() -> None:
    sql, _ = window_query(SHAPE, WINDOW, text="none", nonce=1)
    assert "ContentText" not in sql
    assert "ssot__Id__c" in sql


def test_each_text_is_another_one_so_that_no_stale_answer_is_served() -> None:
    texts = {window_query(SHAPE, WINDOW, nonce=nonce)[0] for nonce in (0, 1, 2, 86_399_999_999)}
    assert len(texts) == 4


@pytest.mark.parametrize("nonce", [0, 1, 86_399_999_999])
def test_the_bound_that_makes_it_unique_excludes_no_row_of_the_window(nonce: int) -> None:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(
        f"""create table "{SHAPE.object_name}" as
        select unnest(['2026-01-13T23:59:59.999999Z', '2026-01-14T00:00:00Z',
                       '2026-01-14T23:59:59.999999Z', '2026-01-15T00:00:00Z'])::timestamptz
               as "ssot__MessageSentTimestamp__c" """
    )
    sql, parameters = count_query(SHAPE, WINDOW, nonce=nonce)
    assert connection.execute(sql, [each.value for each in parameters]).fetchall() == [(2,)]


def test_a_name_with_a_quote_cannot_end_its_quotes() -> None:
    odd = SourceShape(MESSAGES, 'x" y', {"sent_at": 'a"b'}, (), {})
    assert '"a""b" AS "sent_at"\nFROM "x"" y"' in window_query(odd, WINDOW, nonce=0)[0]
