from __future__ import annotations

from urllib.parse import quote

import pyarrow as pa
import pytest
from stranger import ARROW, Stranger, arrow_as_json, status_in

from stdm_platform.sandbox import SandboxHandle

TABLE = "ssot__AiAgentSession__dlm"
ALL = (
    'SELECT ssot__Id__c AS "session_id", ssot__StartTimestamp__c AS "started_at", '
    'ssot__EndTimestamp__c AS "ended_at", ssot__AiAgentChannelType__c AS "channel", '
    'length(ssot__VariableText__c) AS "size", '
    'length(ssot__VariableText__c) > 28 AS "is_long" '
    f"FROM {TABLE} ORDER BY 1"
)


def test_a_strangers_client_gets_the_same_rows_in_every_way(stranger: Stranger) -> None:
    by_connect = stranger.connect_rows(ALL)
    assert len(by_connect) == 2000
    assert by_connect[0] == [
        "session-00000",
        "2026-01-14T00:00:00.123Z",
        None,
        "Messaging",
        28,
        False,
    ]
    assert stranger.v3_rows_by_chunk(ALL) == by_connect
    assert stranger.v3_rows_by_offset(ALL) == by_connect
    assert arrow_as_json(stranger.v3_arrow(ALL)) == by_connect


def test_the_first_connect_answer_holds_only_a_part(stranger: Stranger) -> None:
    answer = stranger.connect(json={"sql": ALL})
    body = answer.json()
    assert answer.status_code == 201
    assert 0 < body["returnedRows"] == len(body["data"]) < body["status"]["rowCount"] == 2000
    assert body["status"]["completionStatus"] == "ResultsProduced"
    assert body["status"]["chunkCount"] > 1
    assert [column["type"] for column in body["metadata"]] == [
        "Varchar", "TimestampTZ", "TimestampTZ", "Varchar", "BigInt", "Boolean",
    ]  # fmt: skip
    query_id = body["status"]["queryId"]
    later = stranger.connect("GET", f"/{quote(query_id, safe='')}").json()
    assert (later["queryId"], later["completionStatus"]) == (query_id, "Finished")


def test_row_limit_bounds_a_response_and_not_the_result(stranger: Stranger) -> None:
    body = stranger.connect(json={"sql": ALL, "rowLimit": 7}).json()
    assert (body["returnedRows"], body["status"]["rowCount"]) == (7, 2000)
    path = f"/{body['status']['queryId']}/rows"
    page = stranger.connect(
        "GET", path, params={"offset": 1995, "rowLimit": 3, "omitSchema": "true"}
    )
    assert [row[0] for row in page.json()["data"]] == [
        "session-01995",
        "session-01996",
        "session-01997",
    ]
    assert page.json()["metadata"] == []


def test_an_offset_out_of_range_is_a_400_on_both_planes(stranger: Stranger) -> None:
    query_id = stranger.connect(json={"sql": ALL}).json()["status"]["queryId"]
    answer = stranger.connect("GET", f"/{query_id}/rows", params={"offset": 2000})
    assert answer.status_code == 400
    assert "out of range" in answer.json()[0]["message"]
    answer = stranger.v3("GET", f"/{query_id}/rows", params={"offset": 2001})
    assert (answer.status_code, answer.json()["error"]) == (400, "OUT_OF_RANGE")
    assert stranger.v3("GET", f"/{query_id}/chunks/99").status_code == 400


def test_a_cancelled_query_is_gone(stranger: Stranger) -> None:
    query_id = stranger.connect(json={"sql": ALL}).json()["status"]["queryId"]
    assert stranger.connect("DELETE", f"/{query_id}").status_code == 204
    answer = stranger.connect("GET", f"/{query_id}/rows", params={"offset": 1})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    for _ in range(2):
        assert stranger.v3("DELETE", f"/{query_id}").status_code == 204
    assert stranger.v3("GET", f"/{query_id}").status_code == 404


def test_cancelling_stops_a_query_that_runs(stranger: Stranger) -> None:
    series = "generate_series(1, 100000)"
    slow = f"SELECT count(*) FROM {series} a, {series} b WHERE a <> b"
    ids = [
        status_in(stranger.v3(json={"sql": slow, "transferMode": "ASYNC"}))["queryId"]
        for _ in range(5)
    ]
    for query_id in ids:
        assert (
            stranger.v3("GET", f"/{query_id}", params={"waitTimeMs": 0})
            .json()["completionStatus"]
            .startswith("RUNNING")
        )
        assert stranger.v3("DELETE", f"/{query_id}").status_code == 204
    # All workers are free again: this one would wait behind the slow ones.
    assert stranger.connect(json={"sql": "SELECT 1"}).json()["data"] == [[1]]


def test_async_answers_without_rows_and_its_chunks_follow(stranger: Stranger) -> None:
    answer, status = stranger.v3_submit(ALL, transferMode="ASYNC")
    assert answer.json()["data"] == []
    assert answer.json()["returnedRows"] == 0
    status = stranger.v3_finished(status)
    assert (status["rowCount"], status["chunkCount"]) == (2000, 7)
    assert status["executionStats"]["rowsProcessed"] == 2000
    chunk = stranger.v3("GET", f"/{status['queryId']}/chunks/0", params={"omitSchema": "true"})
    assert "metadata" not in chunk.json()
    assert chunk.json()["returnedRows"] == 300
    schema = stranger.v3("GET", f"/{status['queryId']}/metadata")
    assert schema.json()["metadata"]["columns"][1] == {
        "name": "started_at", "type": "TimestampTZ", "nullable": True,
    }  # fmt: skip
    assert "x-hyperdb-status" not in schema.headers


def test_adaptive_answers_inline_within_the_range_asked_for(stranger: Stranger) -> None:
    answer, status = stranger.v3_submit(ALL, resultRange={"rowLimit": 5})
    assert (answer.json()["returnedRows"], status["rowCount"]) == (5, 2000)
    assert status["completionStatus"] == "RESULTS_PRODUCED"
    answer, _ = stranger.v3_submit(ALL, ARROW, resultRange={"rowLimit": 5})
    assert pa.ipc.open_stream(answer.content).read_all().num_rows == 5


def test_a_row_limit_of_zero_gives_the_schema_alone(stranger: Stranger) -> None:
    answer, status = stranger.v3_submit(f"SELECT * FROM {TABLE}", queryRowLimit=0)
    assert (status["rowCount"], status["executionStats"]["rowsProcessed"]) == (0, 0)
    names = [column["name"] for column in answer.json()["metadata"]["columns"]]
    assert "ssot__StartTimestamp__c" in names
    table = stranger.v3_arrow(f"SELECT * FROM {TABLE}", queryRowLimit=0)
    assert table.column_names == names
    _, status = stranger.v3_submit(ALL, queryRowLimit=12)
    assert status["rowCount"] == 12


@pytest.mark.parametrize(
    ("sql", "fields"),
    [
        ("= ?", {"paramStyle": "QUESTION_MARK"}),
        ("= ?", {}),
        ("= $1", {"paramStyle": "DOLLARED"}),
        ("= :id", {"paramStyle": "NAMED"}),
    ],
)
def test_v3_binds_each_style_of_parameters(
    stranger: Stranger, sql: str, fields: dict[str, str]
) -> None:
    parameter = {"type": "varchar", "value": "session-00042", "name": "id"}
    answer, _ = stranger.v3_submit(
        f"SELECT ssot__Id__c FROM {TABLE} WHERE ssot__Id__c {sql}", parameters=[parameter], **fields
    )
    assert answer.json()["data"] == [["session-00042"]]


def test_parameters_bind_in_the_order_of_the_text(stranger: Stranger) -> None:
    sql = (
        f"WITH w AS (SELECT * FROM {TABLE} WHERE ssot__StartTimestamp__c >= CAST(? AS TIMESTAMPTZ) "
        "AND ssot__StartTimestamp__c < CAST(? AS TIMESTAMPTZ) AND '?' <> ssot__Id__c) "
        "SELECT ssot__Id__c FROM w WHERE ssot__Id__c <> ? ORDER BY 1"
    )
    values = ["2026-01-14T01:00:00.000Z", "2026-01-14T01:03:00.000Z", "session-00060"]
    given = [{"type": "varchar", "value": value} for value in values]
    rows = [["session-00061"], ["session-00062"]]
    assert stranger.connect_rows(sql, given) == rows
    answer, status = stranger.v3_submit(sql, parameters=given)
    assert answer.json()["data"] == rows
    assert status["executionStats"]["rowsProcessed"] == 3


def test_connect_binds_by_name_and_types_values(stranger: Stranger) -> None:
    given = [
        {"name": "count", "type": "Integer", "value": 2},
        {"name": "since", "type": "TimestampTZ", "value": "2026-01-14T01:00:00Z"},
    ]
    sql = f"SELECT ssot__Id__c FROM {TABLE} WHERE ssot__StartTimestamp__c > :since ORDER BY 1 LIMIT :count"
    assert stranger.connect_rows(sql, given) == [["session-00060"], ["session-00061"]]


@pytest.mark.parametrize(
    "fields",
    [
        {"parameters": [{"type": "varchar", "value": 5}]},
        {"parameters": [{"type": "nonsense type", "value": "5"}]},
        {"parameters": [{"value": "5"}]},
        {"parameters": []},
        {"parameters": [{"type": "varchar", "value": "a"}, {"type": "varchar", "value": "b"}]},
        {"paramStyle": "PERCENT", "parameters": []},
        {"transferMode": "SYNC", "parameters": [{"type": "varchar", "value": "a"}]},
    ],
)
def test_v3_refuses_parameters_that_it_cannot_bind(
    stranger: Stranger, fields: dict[str, object]
) -> None:
    assert stranger.v3(json={"sql": "SELECT CAST(? AS VARCHAR)", **fields}).status_code == 400


def test_connect_refuses_a_field_called_query(stranger: Stranger) -> None:
    answer = stranger.connect(json={"query": "SELECT 1"})
    assert answer.status_code == 400
    assert answer.json() == [
        {"message": 'Unrecognized field "query"', "errorCode": "JSON_PARSER_ERROR"}
    ]
    assert stranger.connect(content=b"{").json()[0]["errorCode"] == "JSON_PARSER_ERROR"


def test_connect_before_v64_does_not_exist(stranger: Stranger) -> None:
    for version, status in (("v63.0", 404), ("v64.0", 201), ("v67.0", 201), ("vx", 404)):
        answer = stranger.http.post(
            f"/services/data/{version}/ssot/query-sql",
            json={"sql": "SELECT 1"},
            headers={"Authorization": f"Bearer {stranger.org_token}"},
        )
        assert answer.status_code == status


def test_v3_serves_no_other_media_type(stranger: Stranger) -> None:
    assert stranger.v3(json={"sql": "SELECT 1"}, accept="text/csv").status_code == 406
    assert stranger.v3(json={"sql": "SELECT 1"}, accept="*/*").status_code == 200


def test_v3_rows_need_an_offset(stranger: Stranger) -> None:
    _, status = stranger.v3_submit(ALL)
    assert stranger.v3("GET", f"/{status['queryId']}/rows").status_code == 400
    page = stranger.v3("GET", f"/{status['queryId']}/rows", params={"offset": 290, "limit": 20})
    assert page.json()["returnedRows"] == 20  # over the border of two chunks
    few = stranger.v3("GET", f"/{status['queryId']}/rows", params={"offset": 0, "byteLimit": 1000})
    assert 0 < few.json()["returnedRows"] < 100


def test_a_result_is_a_snapshot(sandbox: SandboxHandle, stranger: Stranger) -> None:
    _, status = stranger.v3_submit(f"SELECT ssot__Id__c FROM {TABLE}", transferMode="ASYNC")
    stranger.v3_finished(status)
    # A row of its own: other tests count the channels of the rows that are shared.
    sandbox.execute(f"INSERT INTO \"{TABLE}\" (ssot__Id__c) VALUES ('late')")
    try:
        answer = stranger.v3("GET", f"/{status['queryId']}")
        assert status_in(answer)["rowCount"] == 2000
        assert stranger.connect_rows(f"SELECT count(*) FROM {TABLE}") == [[2001]]
    finally:
        sandbox.execute(f"DELETE FROM \"{TABLE}\" WHERE ssot__Id__c = 'late'")


def test_the_same_sql_can_give_a_cached_result(sandbox: SandboxHandle, stranger: Stranger) -> None:
    sandbox.change_settings(cache_results=True)
    ids = [
        stranger.connect(json={"sql": sql}).json()["status"]["queryId"]
        for sql in ["SELECT 1", "SELECT 1", "SELECT 2"]
    ]
    assert ids[0] == ids[1] != ids[2]


def test_result_scan_reads_a_stored_result(stranger: Stranger) -> None:
    query_id = stranger.connect(json={"sql": ALL}).json()["status"]["queryId"]
    sql = f"SELECT count(*), max(session_id) FROM result_scan('{query_id}')"
    assert stranger.connect_rows(sql) == [[2000, "session-01999"]]
    empty = stranger.connect(json={"sql": f"SELECT ssot__Id__c FROM {TABLE} WHERE 1 = 0"}).json()
    for gone in (empty["status"]["queryId"], "nonsense"):
        answer = stranger.connect(json={"sql": f"SELECT * FROM result_scan('{gone}')"})
        assert answer.status_code == 404


def test_a_failure_while_it_runs_is_an_http_error(stranger: Stranger) -> None:
    sql = f"SELECT CAST(ssot__Id__c AS INTEGER) FROM {TABLE}"
    assert stranger.connect(json={"sql": sql}).status_code == 400
    answer = stranger.v3(json={"sql": sql, "transferMode": "ASYNC"})
    if answer.status_code == 200:
        answer = stranger.v3("GET", f"/{status_in(answer)['queryId']}")
    assert (answer.status_code, answer.json()["details"]["errorSource"]) == (400, "User")


def test_an_unknown_path_is_a_404_in_the_shape_of_its_plane(stranger: Stranger) -> None:
    assert stranger.http.get("/services/data/v66.0/nothing").json()[0]["errorCode"] == "NOT_FOUND"
    assert stranger.http.get("/api/v9/query").json()["error"] == "NOT_FOUND"
