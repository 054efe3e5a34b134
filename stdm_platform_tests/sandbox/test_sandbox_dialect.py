from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from stranger import Stranger

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox import SandboxHandle

T = "ssot__AIAgentSession__dlm"
FIRST = f"FROM {T} WHERE ssot__Id__c = 'session-00001'"


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT count(*) FROM ssot__AiAgentSession__dlm", [[2000]]),
        ('SELECT count(*) FROM "ssot__AiAgentSession__dlm"', [[2000]]),
        ("SELECT count(*) FROM SSOT__AIAGENTSESSION__DLM s WHERE s.ssot__Id__c IS NULL", [[0]]),
        (f"SELECT {T}.ssot__Id__c {FIRST}", [["session-00001"]]),
        (f"SELECT public.{T}.ssot__Id__c FROM public.{T} LIMIT 0", []),
        (
            f"SELECT count(*) FROM {T} WHERE ssot__StartTimestamp__c >= '2026-01-15T00:00:00.000Z'",
            [[560]],
        ),
        (
            f"SELECT count(*) FROM {T} WHERE ssot__StartTimestamp__c < TIMESTAMP '2026-01-14 00:10:00'",
            [[10]],
        ),
        (
            f"SELECT count(*) FROM {T} WHERE ssot__StartTimestamp__c >= current_date - INTERVAL '7' DAY",
            [[0]],
        ),
        (
            f"SELECT CAST(ssot__StartTimestamp__c AS DATE) AS day, count(*) FROM {T} GROUP BY 1 ORDER BY 1",
            [["2026-01-14", 1440], ["2026-01-15", 560]],
        ),
        (
            f"SELECT EXTRACT(EPOCH FROM (ssot__EndTimestamp__c - TIMESTAMP '2026-01-14 00:00:00')) {FIRST}",
            [[180.0]],
        ),
        (f"SELECT ssot__VariableText__c::JSON->'a'->-1->>'x' {FIRST}", [["last"]]),
        (f"SELECT CAST(ssot__VariableText__c AS JSON)->>'n' {FIRST}", [["1"]]),
        (f"SELECT ssot__VariableText__c::JSON #>> '{{a,1,x}}' {FIRST}", [["last"]]),
        (f"SELECT json_array_length(ssot__VariableText__c::JSON->'a') {FIRST}", [[2]]),
        (
            f"WITH c AS (SELECT ssot__AiAgentChannelType__c AS ch FROM {T}) "
            "SELECT ch, count(*) FROM c GROUP BY ch HAVING count(*) > 1 ORDER BY ch",
            [["Messaging", 1000], ["NOT_SET", 1000]],
        ),
        (
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 4) "
            "SELECT i FROM n ORDER BY i",
            [[1], [2], [3], [4]],
        ),
        (
            f"WITH {T} AS (SELECT * FROM {T} WHERE ssot__Id__c < 'session-00003') SELECT count(*) FROM {T}",
            [[3]],
        ),
        ("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a", [[1], [2]]),
        (f"SELECT count(DISTINCT ssot__AiAgentChannelType__c) FROM {T}", [[2]]),
        (
            f"SELECT DISTINCT s.ssot__AiAgentChannelType__c, length(ssot__Id__c) AS n FROM {T} s "
            "ORDER BY 2, ssot__AiAgentChannelType__c, length(ssot__Id__c), n DESC",
            [["Messaging", 13], ["NOT_SET", 13]],
        ),
        (f"SELECT DISTINCT ON (ssot__Id__c) 1 FROM {T} ORDER BY ssot__Id__c LIMIT 1", [[1]]),
        ("SELECT TRY_CAST('x' AS INTEGER), COALESCE(NULL, 'it''s')", [[None, "it's"]]),
        (f"SELECT SPLIT_PART(ssot__Id__c, '-', 2), length(ssot__Id__c) {FIRST}", [["00001", 13]]),
        ("SELECT 7 / 2, 7 / 2.0", [[3, 3.5]]),
        ("SELECT 1.50, CAST(2 AS NUMERIC(10,2)), CAST(3 AS BIGINT)", [[1.5, 2, 3]]),
        ("SELECT CAST('2026-01-14' AS DATE), TIMESTAMP '2026-01-14 01:02:03'", [["2026-01-14", "2026-01-14T01:02:03.000"]]),
        ("SELECT TIMESTAMPTZ '2026-01-14 01:00:00+02'", [["2026-01-13T23:00:00.000Z"]]),
        ("SELECT INTERVAL '1' DAY", [["1 day"]]),
        ("SELECT NULL IS NOT DISTINCT FROM NULL", [[True]]),
        (f"SELECT count(*) FROM {T} WHERE ssot__Id__c IN (SELECT ssot__Id__c {FIRST})", [[1]]),
        ("SELECT g FROM generate_series(1, 2) AS g ORDER BY g", [[1], [2]]),
        ("VALUES (1, 'a')", [[1, "a"]]),
        ("SELECT sum(x) FROM (SELECT 1 AS x UNION ALL SELECT 2) t;", [[3]]),
    ],
)  # fmt: skip
def test_the_dialect_answers_alike_on_both_planes(
    stranger: Stranger, sql: str, rows: list[list[Any]]
) -> None:
    assert stranger.connect_rows(sql) == rows
    assert stranger.v3_rows_by_chunk(sql) == rows


def names(stranger: Stranger, sql: str) -> tuple[list[str], list[str]]:
    connect = stranger.connect(json={"sql": sql}).json()["metadata"]
    v3 = stranger.v3(json={"sql": sql}).json()["metadata"]["columns"]
    return [column["name"] for column in connect], [column["name"] for column in v3]


def test_result_names_follow_the_plane(stranger: Stranger) -> None:
    sql = f'SELECT ssot__ID__c, "ssot__Id__c", ssot__Id__c AS MyKey, ssot__Id__c AS "Other Key", count(*) {FIRST} GROUP BY 1'
    on_connect, on_v3 = names(stranger, sql)
    assert on_connect == ["ssot__ID__c", "ssot__Id__c", "MyKey", "Other Key", "_col4"]
    assert on_v3 == ["ssot__id__c", "ssot__Id__c", "MyKey", "Other Key", "5"]


def test_a_star_gives_the_physical_names(stranger: Stranger) -> None:
    on_connect, on_v3 = names(stranger, f"SELECT 1 AS First, * , 2 AS Last FROM {T} LIMIT 1")
    assert on_connect == on_v3
    assert (on_v3[0], on_v3[1], on_v3[-1]) == ("First", "ssot__Id__c", "Last")


@pytest.mark.parametrize(
    ("sql", "state", "text"),
    [
        ("SELECT 1 FROM ssot__Nothing__dlm", "42P01", 'object type "ssot__Nothing__dlm" not found'),
        (f"SELECT nope FROM {T}", "42703", 'field "nope" not found'),
        (f"SELECT s.nope FROM {T} s", "42703", 'column "nope" does not exist'),
        (f"SELECT x.ssot__Id__c FROM {T} s", "42P01", "does not exist"),
        ("SELEC 1", "42601", "syntax"),
        (f"SELECT * FROM {T} WHERE", "42601", "syntax"),
        ("SELECT 1; SELECT 2", "42601", "syntax"),
        ("SELECT nofunction(1)", "42883", "does not exist"),
        (f"SELECT DISTINCT ssot__Id__c FROM {T} ORDER BY KQ_Id__c", "42P10", "select list"),
        ("SELECT CAST('x' AS INTEGER)", "22000", "x"),
        ("   ", "INVALID_ARGUMENT", "sql is required"),
    ],
)
def test_each_error_has_its_documented_shape(
    stranger: Stranger, sql: str, state: str, text: str
) -> None:
    answer = stranger.v3(json={"sql": sql})
    assert answer.status_code == 400
    assert answer.json()["error"] == state
    assert text in answer.json()["message"]
    assert answer.json()["details"]["errorSource"] == "User"
    answer = stranger.connect(json={"sql": sql})
    assert answer.status_code == 400
    assert text in answer.json()[0]["message"]


def test_a_syntax_error_says_where(stranger: Stranger) -> None:
    details = stranger.v3(json={"sql": "SELECT 1 FROM"}).json()["details"]
    assert details["position"]["errorEndCharacterOffset"] > 7


@pytest.mark.parametrize(
    "sql",
    [
        f"DELETE FROM {T}",
        f"INSERT INTO {T} (ssot__Id__c) VALUES ('x')",
        f"UPDATE {T} SET ssot__Id__c = 'x'",
        "CREATE TABLE x AS SELECT 1",
        f"DROP TABLE {T}",
        "COPY (SELECT 1) TO '/tmp/x'",
        "ATTACH '/tmp/x'",
        "PRAGMA version",
        "SET memory_limit = '1GB'",
        f"WITH x AS (DELETE FROM {T} RETURNING *) SELECT * FROM x",
        f"SELECT * INTO x FROM {T}",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM duckdb_tables()",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('sandbox_meta')",
        "SELECT * FROM sandbox_meta",
        "SELECT * FROM main.sandbox_meta",
        f"SELECT * FROM main.{T}",
        "WITH sandbox_meta AS (SELECT * FROM sandbox_meta) SELECT * FROM sandbox_meta",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_tables",
        "SELECT * FROM pg_catalog.pg_settings",
        "SELECT * FROM org_catalog.pg_class",
        "SELECT current_setting('temp_directory')",
        "CALL pragma_version()",
        "EXPLAIN SELECT 1",
    ],
)
def test_only_queries_of_the_orgs_objects_run(stranger: Stranger, sql: str) -> None:
    for answer in (stranger.connect(json={"sql": sql}), stranger.v3(json={"sql": sql})):
        assert answer.status_code == 400, answer.text
    assert stranger.connect_rows(f"SELECT count(*) FROM {T}") == [[2000]]


def test_the_newer_family_has_other_names(sandbox: SandboxHandle, stranger: Stranger) -> None:
    sandbox.change_settings(family="std")
    newer = 'SELECT "std__Id__c" FROM std__AiAgentSessionDmo__dlm ORDER BY 1 LIMIT 1'
    assert stranger.connect_rows(newer) == [["session-00000"]]
    answer = stranger.connect(json={"sql": f"SELECT 1 FROM {T}"})
    assert "not found" in answer.json()[0]["message"]
    answer = stranger.v3(json={"sql": "SELECT ssot__Id__c FROM std__AiAgentSessionDmo__dlm"})
    assert answer.json()["error"] == "42703"
    step = "SELECT std__NameInterfaceField__c FROM std__AiAgentInteractionStepDmo__dlm"
    assert stranger.connect_rows(step) == []


def test_hidden_objects_and_columns_are_not_there(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    sandbox.change_settings(
        hide_objects=["moments"],
        hide_columns=["sessions.ssot__VariableText__c", "sessions.ended_at"],
    )
    answer = stranger.connect(json={"sql": "SELECT 1 FROM ssot__AiAgentMoment__dlm"})
    assert (answer.status_code, "not found" in answer.text) == (400, True)
    for column in ("ssot__VariableText__c", "ssot__EndTimestamp__c"):
        assert stranger.v3(json={"sql": f"SELECT {column} FROM {T}"}).json()["error"] == "42703"
    on_connect, _ = names(stranger, f"SELECT * FROM {T} LIMIT 0")
    assert "ssot__EndTimestamp__c" not in on_connect
    assert "ssot__Id__c" in on_connect


def test_a_column_can_have_another_type(sandbox: SandboxHandle, stranger: Stranger) -> None:
    sandbox.change_settings(column_types={"sessions.ssot__StartTimestamp__c": "VARCHAR"})
    metadata = stranger.connect(json={"sql": f"SELECT ssot__StartTimestamp__c {FIRST}"}).json()
    assert metadata["metadata"][0]["type"] == "Varchar"


def test_a_new_column_of_the_org_is_seen(sandbox: SandboxHandle, stranger: Stranger) -> None:
    sandbox.execute(f'ALTER TABLE "{T}" ADD COLUMN "ssot__New__c" VARCHAR')
    try:
        assert stranger.connect_rows(f"SELECT ssot__New__c {FIRST}") == [[None]]
    finally:
        sandbox.execute(f'ALTER TABLE "{T}" DROP COLUMN "ssot__New__c"')
    assert stranger.connect(json={"sql": f"SELECT ssot__New__c {FIRST}"}).status_code == 400


def test_changing_the_org_breaks_no_query_beside_it(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    def ask(_: int) -> int:
        return int(stranger.connect_rows(f"SELECT count(*) FROM {T}")[0][0])

    def change(number: int) -> None:
        sandbox.execute(
            f"UPDATE \"{T}\" SET ssot__IndividualId__c = '{number}' {FIRST[FIRST.index('WHERE') :]}"
        )

    with ThreadPoolExecutor(6) as pool:
        changes = [pool.submit(change, number) for number in range(20)]
        counts = list(pool.map(ask, range(60)))
        for done in changes:
            done.result()
    assert set(counts) == {2000}


def test_unknown_names_in_an_exposure_are_refused(sandbox: SandboxHandle) -> None:
    for given in (
        {"hide_objects": ["nothing"]},
        {"hide_columns": ["sessions.nothing"]},
        {"column_types": {"nothing.x": "VARCHAR"}},
        {"column_types": {"sessions.session_id": "NOTATYPE"}},
    ):
        with pytest.raises(ArgumentError):
            sandbox.change_settings(**given)


def test_every_sql_is_logged_with_its_plane_and_parameters(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    sandbox.sql_log(clear=True)
    given = [{"type": "varchar", "value": "a"}]
    stranger.connect(json={"sql": "SELECT CAST(? AS VARCHAR)", "sqlParameters": given})
    stranger.v3(json={"sql": "SELEC"})
    first, second = sandbox.sql_log()
    assert (first["plane"], first["sql"]) == ("connect", "SELECT CAST(? AS VARCHAR)")
    assert first["parameters"] == given
    assert first["query_id"]
    assert first["error"] is None
    assert (second["plane"], second["query_id"]) == ("v3", None)
    assert "syntax" in second["error"]
