"""What other people's clients send, as their sources have it, and what they do with the answer.

`salesforce-datacloud-connector` 2.0.0b1 reads the status only under `status` and binds Python
numbers as Numeric; `salesforce-cdp-connector` 1.0.20 speaks V2 and revokes its org token.
"""

from __future__ import annotations

import base64
import ssl
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow as pa
import pytest
from stranger import CONNECT, Stranger

from stdm_platform.catalog import DMOS
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform.sandbox.handle import LOG_FILE

T = "ssot__AIAgentSession__dlm"
NAMES = ["ssot__Id__c", "Started", "ssot__VariableText__c"]
ALL = f"SELECT {NAMES[0]}, ssot__StartTimestamp__c AS Started, {NAMES[2]} FROM {T} ORDER BY 1"


def ask(
    stranger: Stranger, method: str, path: str, *, on_tenant: bool = False, **given: Any
) -> httpx.Response:
    token = stranger.tenant_token if on_tenant else stranger.org_token
    headers = {"Authorization": f"Bearer {token}", **given.pop("headers", {})}
    return stranger.http.request(method, path, headers=headers, **given)


def test_a_connect_status_is_read_bare_or_wrapped(stranger: Stranger) -> None:
    query_id = stranger.connect(json={"sql": "SELECT 1"}).json()["status"]["queryId"]
    body = stranger.connect("GET", f"/{quote(query_id, safe='')}").json()
    assert body["completionStatus"] == body["status"]["completionStatus"] == "Finished"
    assert body["queryId"] == body["status"]["queryId"] == query_id


def test_a_text_parameter_can_be_compared_with_an_instant(stranger: Stranger) -> None:
    sql = f"SELECT count(*) FROM {T} WHERE ssot__StartTimestamp__c >= :since"
    given = [{"name": "since", "type": "Varchar", "value": "2026-01-15"}]
    assert stranger.connect_rows(sql, given) == [[560]]
    placed = f"SELECT count(*) FROM {T} WHERE ssot__StartTimestamp__c >= ?"
    parameters = [{"type": "varchar", "value": "2026-01-15T00:00:00.000Z"}]
    assert stranger.v3_rows_by_chunk(placed, parameters=parameters) == [[560]]


@pytest.mark.parametrize("value", [0.12345, -2.5, 3, "12345678901234567890"])
def test_a_bare_numeric_parameter_keeps_its_digits(stranger: Stranger, value: Any) -> None:
    (row,) = stranger.connect_rows(
        "SELECT CAST(:n AS VARCHAR)", [{"name": "n", "type": "Numeric", "value": value}]
    )
    assert row == [str(value)]


@pytest.mark.parametrize("value", ["x", True, "NaN", ""])
def test_a_numeric_parameter_that_is_no_number_is_refused(stranger: Stranger, value: Any) -> None:
    answer = stranger.connect(
        json={"sql": "SELECT ?", "sqlParameters": [{"type": "Numeric", "value": value}]}
    )
    assert (answer.status_code, "parameter 1 is no number" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("path", "on_tenant"),
    [("/api/v2/query", True), ("/services/data/v66.0/ssot/queryv2", False)],
)
def test_v2_gives_every_row_in_batches(stranger: Stranger, path: str, on_tenant: bool) -> None:
    page = ask(stranger, "POST", path, on_tenant=on_tenant, json={"sql": ALL}).json()
    rows, batches = page["data"], 1
    assert (page["metadata"]["Started"], page["rowCount"]) == (
        {"type": "TIMESTAMP WITH TIME ZONE", "placeInOrder": 1, "typeCode": 2014},
        len(page["data"]),
    )
    assert datetime.fromisoformat(page["startTime"]) <= datetime.fromisoformat(page["endTime"])
    while not page["done"]:
        last = f"{path}/{page['nextBatchId']}"
        page = ask(stranger, "GET", last, on_tenant=on_tenant).json()
        rows, batches = rows + page["data"], batches + 1
    assert "nextBatchId" not in page
    assert (rows, batches > 1) == (stranger.connect_rows(ALL), True)
    again = ask(stranger, "GET", last, on_tenant=on_tenant)
    assert again.status_code == 404


def test_v2_gives_arrow_in_json_to_who_asks(stranger: Stranger) -> None:
    headers = {"enable-arrow-stream": "true"}
    path = "/api/v2/query"
    page = ask(stranger, "POST", path, on_tenant=True, json={"sql": ALL}, headers=headers).json()
    tables = [page]
    while not tables[-1]["done"]:
        next_path = f"{path}/{tables[-1]['nextBatchId']}"
        tables.append(ask(stranger, "GET", next_path, on_tenant=True, headers=headers).json())
    read = pa.concat_tables(
        pa.ipc.open_stream(base64.b64decode(one["arrowStream"])).read_all() for one in tables
    )
    assert read.schema.field("Started").type == pa.timestamp("ms", "UTC")
    assert read.column(0).to_pylist() == [row[0] for row in stranger.connect_rows(ALL)]


@pytest.mark.parametrize(
    ("path", "on_tenant"), [("/api/v1/query", True), ("/services/data/v66.0/ssot/query", False)]
)
def test_v1_gives_rows_as_objects(stranger: Stranger, path: str, on_tenant: bool) -> None:
    params = {"offset": 1, "limit": 2}
    answer = ask(stranger, "POST", path, on_tenant=on_tenant, json={"sql": ALL}, params=params)
    assert answer.json()["data"] == [
        dict(zip(NAMES, row, strict=True)) for row in stranger.connect_rows(ALL)[1:3]
    ]


def test_an_empty_result_of_v2_is_done_and_has_its_columns(stranger: Stranger) -> None:
    sql = {"sql": f"SELECT * FROM {T} LIMIT 0"}
    page = ask(stranger, "POST", "/api/v2/query", on_tenant=True, json=sql).json()
    assert (page["data"], page["done"], "ssot__Id__c" in page["metadata"]) == ([], True, True)


@pytest.mark.parametrize("path", ["/api/v2/query", "/api/v1/query"])
def test_v2_and_v1_refuse_the_org_token_and_bad_sql(stranger: Stranger, path: str) -> None:
    assert ask(stranger, "POST", path, json={"sql": ALL}).status_code == 401
    refused = ask(stranger, "POST", path, on_tenant=True, json={"sql": "SELECT * FROM nope__dlm"})
    assert (refused.status_code, refused.json()["error"]) == (400, "42P01")


def test_a_revoked_org_token_is_dead_and_its_tenant_token_lives(stranger: Stranger) -> None:
    revoke = "/services/oauth2/revoke"
    assert stranger.http.post(revoke, params={"token": stranger.org_token}).status_code == 200
    assert stranger.connect(json={"sql": "SELECT 1"}).status_code == 401
    assert stranger.v3(json={"sql": "SELECT 1"}).status_code == 200
    again = stranger.http.post(revoke, data={"token": stranger.org_token})
    assert (again.status_code, again.json()["error"]) == (400, "unsupported_token_type")


def test_the_org_says_who_asks_and_what_there_is(stranger: Stranger) -> None:
    login = stranger.post_login().json()
    for path in ("/services/oauth2/userinfo", login["id"]):
        user = ask(stranger, "GET", path).json()
        assert user["organization_id"] in login["id"]
        assert user["preferred_username"] == stranger.env["STDM_USERNAME"]
    versions = [each["version"] for each in ask(stranger, "GET", "/services/data").json()]
    assert CONNECT.split("/")[3].removeprefix("v") in versions
    spaces = ask(stranger, "GET", "/services/data/v66.0/ssot/data-spaces").json()["dataSpaces"]
    assert [(space["name"], space["status"]) for space in spaces] == [("default", "Active")]
    assert stranger.http.get("/services/oauth2/userinfo").status_code == 401


@pytest.mark.parametrize(
    ("path", "on_tenant"),
    [("/api/v1/metadata", True), ("/services/data/v66.0/ssot/metadata", False)],
)
def test_objects_are_described_as_they_are_exposed(
    sandbox: SandboxHandle, stranger: Stranger, path: str, on_tenant: bool
) -> None:
    sandbox.change_settings(family="std", hide_columns=["sessions.ssot__VariableText__c"])
    every = ask(stranger, "GET", path, on_tenant=on_tenant).json()["metadata"]
    name = "std__AiAgentSessionDmo__dlm"
    params = {"entityName": name.lower()}
    (one,) = ask(stranger, "GET", path, on_tenant=on_tenant, params=params).json()["metadata"]
    types = {field["name"]: field["type"] for field in one["fields"]}
    assert (one["name"], one in every, len(every)) == (name, True, len(DMOS))
    assert (types["std__Id__c"], types["std__StartTimestamp__c"]) == ("STRING", "DATE_TIME")
    assert "std__VariableText__c" not in types
    assert [key["name"] for key in one["primaryKeys"]] == ["std__Id__c"]
    unknown = ask(stranger, "GET", path, on_tenant=on_tenant, params={"entityName": "x"})
    assert (unknown.status_code, "not found" in unknown.text) == (404, True)


# From the connector's sql/ folder, shortened.
TABLES = """
SELECT n.nspname AS schema_name, c.relname AS table_name,
    CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' END AS table_type,
    d.description AS remarks
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
LEFT JOIN pg_catalog.pg_description d
    ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass)
WHERE c.relkind IN ('r', 'v') AND n.nspname NOT LIKE 'pg_%' AND c.relname LIKE :name
ORDER BY n.nspname, c.relname
"""
COLUMNS = """
SELECT a.attname AS column_name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS data_type,
    NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
    pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS column_default
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid)
JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid)
JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum)
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relname LIKE :name ORDER BY a.attnum LIMIT 2
"""


def test_objects_and_fields_are_found_in_the_system_catalog(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    named = [{"name": "name", "type": "Varchar", "value": T}]
    assert stranger.connect_rows(TABLES, named) == [["public", T, "TABLE", None]]
    assert stranger.connect_rows(COLUMNS, named) == [
        ["ssot__Id__c", "character varying", True, None],
        ["ssot__StartTimestamp__c", "timestamp with time zone", True, None],
    ]
    sandbox.change_settings(hide_objects=["sessions"])
    assert stranger.connect_rows(TABLES, named) == []


def test_the_tenant_can_be_a_bare_host_that_speaks_tls(tmp_path: Path) -> None:
    with running(SandboxOptions(tmp_path, sessions_per_day=0, tls=True)) as sandbox:
        stranger = Stranger(sandbox.env).log_in()
        host = stranger.post_exchange().json()["instance_url"]
        trust = ssl.create_default_context(cafile=str(tmp_path / "sandbox.tls.pem"))
        headers = {"Authorization": f"Bearer {stranger.tenant_token}"}
        with httpx.Client(verify=trust, trust_env=False, headers=headers) as http:
            for path in ("/api/v2/query", "/api/v3/query"):
                answer = http.post(f"https://{host}{path}", json={"sql": "SELECT 1"})
                assert answer.json()["data"] == [[1]]
            assert sandbox.stop() == 0  # the client's connection is still open; killed it were -9
    assert "Traceback" not in (tmp_path / LOG_FILE).read_text()
    assert (tmp_path / "sandbox.tls.pem").stat().st_mode & 0o077 == 0
