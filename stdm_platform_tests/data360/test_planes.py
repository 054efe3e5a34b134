"""Each plane gets what it wants, and `auto` chooses the one that the org offers."""

from __future__ import annotations

import hashlib
import logging

import pytest

from stdm_platform.data360 import Parameter
from stdm_platform.errors import (
    AuthenticationError,
    FieldNotFoundError,
    ObjectNotFoundError,
    QueryError,
    SourceError,
    StdmError,
    UnavailableError,
)
from stdm_platform_tests.data360.fake_org import FakeOrg, html, instead, read_all

PARAMETERS = [Parameter("varchar", "2026-01-14T00:00:00Z"), Parameter("BigInt", "7")]


def test_v3_gets_its_parameters_headers_and_data_space() -> None:
    org = FakeOrg()
    with org.client(transport="arrow", dataspace="sales") as client:
        list(client.query("SELECT ?", PARAMETERS).batches())
    submit = org.of("v3.submit")[0]
    assert submit.body == {
        "sql": "SELECT ?",
        "transferMode": "ASYNC",
        "paramStyle": "QUESTION_MARK",
        "parameters": [
            {"type": "varchar", "value": "2026-01-14T00:00:00Z"},
            {"type": "bigint", "value": "7"},
        ],
    }
    assert submit.headers["accept"] == "application/json"
    assert submit.headers["ctx-dataspace-ds_name"] == "sales"
    assert org.of("v3.chunk")[0].headers["accept"] == "application/vnd.apache.arrow.stream"
    assert org.of("exchange")[0].body["dataspace"] == "sales"


def test_connect_gets_its_parameters_version_and_data_space() -> None:
    org = FakeOrg()
    with org.client(transport="json", dataspace="sales", api_version="67.0") as client:
        list(client.query("SELECT ?", PARAMETERS).batches())
    submit = org.of("connect.submit")[0]
    assert submit.raw_path == "/services/data/v67.0/ssot/query-sql"
    assert submit.body == {
        "sql": "SELECT ?",
        "sqlParameters": [
            {"type": "Varchar", "value": "2026-01-14T00:00:00Z"},
            {"type": "BigInt", "value": "7"},
        ],
    }
    assert {call.params["dataspace"] for call in org.calls if "connect" in call.operation} == {
        "sales"
    }
    assert org.count("exchange") == 0


def test_the_query_id_is_one_path_segment() -> None:
    for transport, operation in (("arrow", "v3.chunk"), ("json", "connect.rows")):
        org = FakeOrg()
        with org.client(transport=transport) as client:
            read_all(client)
        assert "/MTAuMjMuMTU2LjIwODo3NDg0%3D%2Fa_49169cf8-0000/" in org.of(operation)[0].raw_path


def test_a_tenant_host_with_a_scheme_is_used_as_given_and_a_bare_one_gets_https() -> None:
    for given, host in (("http://127.0.0.1:9/", "127.0.0.1:9"), ("t.example.com", "t.example.com")):
        org = FakeOrg(tenant_url=given)
        with org.client(transport="arrow") as client:
            assert client.tenant_host == host
            assert client.org_host == "org.example.com"
            read_all(client)


def test_the_sql_hash_tells_questions_apart() -> None:
    org = FakeOrg()
    with org.client(transport="arrow") as client:
        plain = client.query("SELECT 1")
        asked = [client.query("SELECT ?", PARAMETERS[:n]).sql_sha256 for n in (1, 2)]
    assert plain.sql_sha256 == hashlib.sha256(b"SELECT 1").hexdigest()
    assert len({plain.sql_sha256, *asked}) == 3


UNAVAILABLE = {
    "exchange refused 400": ("exchange", instead(400, json={"error": "invalid_scope"})),
    "exchange refused 403": ("exchange", html(403)),
    "exchange refused 404": ("exchange", html(404)),
    "V3 404": ("v3.submit", html(404)),
    "V3 406": ("v3.submit", instead(406)),
    "V3 501": ("v3.submit", instead(501, json={"error": "x", "message": "unimplemented"})),
    "scope missing": ("v3.submit", instead(403, json={"error": "x", "message": "Missing scope"})),
}


@pytest.mark.parametrize("case", UNAVAILABLE)
def test_auto_falls_back_once_with_one_line_in_the_log(
    case: str, caplog: pytest.LogCaptureFixture
) -> None:
    org = FakeOrg()
    operation, bend = UNAVAILABLE[case]
    org.bend(operation, bend, when=99)
    with caplog.at_level(logging.WARNING), org.client(transport="auto") as client:
        for _ in range(3):
            assert read_all(client) == list(range(10))
        assert client.transport == "json"
    assert org.count(operation) <= 2
    assert len([r for r in caplog.records if "json instead of arrow" in r.message]) == 1


@pytest.mark.parametrize("case", UNAVAILABLE)
def test_arrow_never_falls_back(case: str) -> None:
    org = FakeOrg()
    operation, bend = UNAVAILABLE[case]
    org.bend(operation, bend, when=99)
    with org.client(transport="arrow") as client, pytest.raises(StdmError) as caught:
        client.query("SELECT 1")
    assert org.count("connect.submit") == 0
    assert isinstance(caught.value, AuthenticationError if "exchange" in case else SourceError)


def test_auto_takes_arrow_when_it_is_there_and_stays_with_it() -> None:
    org = FakeOrg()
    with org.client(transport="auto") as client:
        assert client.transport == "arrow"
        assert client.query("SELECT 1").transport == "arrow"
        org.bend("v3.submit", html(404), when=99)
        with pytest.raises(SourceError):
            client.query("SELECT 1")
    assert org.count("connect.submit") == 0


def test_the_transport_can_be_asked_before_any_query() -> None:
    org = FakeOrg()
    org.bend("exchange", instead(403), when=99)
    with org.client(transport="auto") as client:
        assert client.transport == "json"


@pytest.mark.parametrize(
    ("operation", "bend", "error"),
    [
        ("login", instead(400, json={"error": "invalid_client_id"}), AuthenticationError),
        ("v3.submit", instead(503), UnavailableError),
        ("v3.submit", instead(400, json={"error": "42P01", "message": "x"}), ObjectNotFoundError),
    ],
)
def test_auto_does_not_hide_other_errors(operation: str, bend: object, error: type) -> None:
    org = FakeOrg()
    org.bend(operation, bend, when=99)  # type: ignore[arg-type]
    with org.client(transport="auto") as client, pytest.raises(error):
        client.query("SELECT 1")
    assert org.count("connect.submit") == 0


def test_a_plane_that_gives_no_arrow_is_read_as_json() -> None:
    org = FakeOrg(rows=20, chunks=[5] * 4, serves_arrow=False)
    with org.client(transport="auto", requests_in_flight=1) as client:
        assert read_all(client) == list(range(20))
    assert sum("arrow" in call.headers["accept"] for call in org.of("v3.chunk")) == 1


ENGINE = {"details": {"errorSource": "User", "customerHint": "quote it"}}
REFUSALS = [
    ({"error": "42P01", "message": 'table "x" does not exist', **ENGINE}, ObjectNotFoundError),
    ({"error": "42703", "message": 'column "y" missing'}, FieldNotFoundError),
    ({"error": "42601", "message": "syntax error at FORM"}, QueryError),
    (
        {
            "timestamp": "t",
            "error": "Bad Request",
            "message": "object type X not found",
            "path": "/",
            "internalErrorCode": "COMMON_ERROR_GENERIC",
            "details": {},
        },
        ObjectNotFoundError,
    ),
    ([{"message": 'object type "ssot__X__dlm" not found', "errorCode": "X"}], ObjectNotFoundError),
    (
        [{"message": "DataModelEntity ssot__X__dlm not found", "errorCode": "X"}],
        ObjectNotFoundError,
    ),
    ([{"message": "DataModelEntity not found", "errorCode": "X"}], ObjectNotFoundError),
    (
        [{"message": 'failed: {"error":"42703","message":"no"}', "errorCode": "X"}],
        FieldNotFoundError,
    ),
    ([{"message": 'field "a" not found in object type b', "errorCode": "X"}], FieldNotFoundError),
    (
        [{"message": 'column "a" of relation "b" does not exist', "errorCode": "X"}],
        FieldNotFoundError,
    ),
    ([{"message": 'Unrecognized field "query"', "errorCode": "JSON_PARSER_ERROR"}], QueryError),
    ({"message": "Couldn't find CDP tenant ID"}, QueryError),
    ({"error": "42P01", "message": 'column list: table "x" does not exist'}, ObjectNotFoundError),
    ("syntax error", QueryError),
    ([], QueryError),
]


@pytest.mark.parametrize(("body", "error"), REFUSALS)
@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_every_shape_of_refusal_is_understood(transport: str, body: object, error: type) -> None:
    org = FakeOrg()
    given = {"text": body} if isinstance(body, str) else {"json": body}
    org.bend(
        "*",
        lambda call, answer: (
            instead(400, **given)(call, answer) if call.operation.endswith("submit") else answer
        ),
        when=99,
    )
    with org.client(transport=transport) as client, pytest.raises(SourceError) as caught:
        client.query("SELECT 1")
    assert type(caught.value) is error
    assert caught.value.action
    assert "\n" not in str(caught.value)


def test_a_refusal_does_not_repeat_what_the_sql_quoted() -> None:
    org = FakeOrg()
    message = "syntax error near 'my it''s private text' in line 1\nSELECT " + "x" * 500
    org.bend("v3.submit", instead(400, json={"error": "42601", "message": message}))
    with org.client(transport="arrow") as client, pytest.raises(QueryError) as caught:
        client.query("SELECT 1")
    assert "private" not in str(caught.value)
    assert len(str(caught.value)) < 300
