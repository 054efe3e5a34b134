"""Orgs that are unlike our sandbox in every way that the Data 360 page allows give the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from stdm_platform.catalog import Dmo
from stdm_platform.data360 import Connection, Data360
from stdm_platform.extraction import extract_range, windows_of_days
from stdm_platform.lake import Lake
from stdm_platform.sandbox.generator import build_org
from stdm_platform_tests.data360.another_org import AnotherOrg
from stdm_platform_tests.data360.another_ways import ORG_ID, Ways, serving
from stdm_platform_tests.data360.fake_org import connection
from stdm_platform_tests.session_objects import SESSION_DMOS

END = date(2026, 1, 16)
DAYS = [END - timedelta(days=1), END]
NOW = datetime.combine(END + timedelta(days=2), time(), UTC)
Rows = dict[tuple[str, date], tuple[int, str]]


def renamed(
    con: duckdb.DuckDBPyConnection, entry: Dmo, to: str, field: Callable[[str], str]
) -> None:
    fields = con.execute(f'DESCRIBE "{entry.objects[0]}"').fetchall()
    selected = ", ".join(f'"{name}" AS "{field(name)}"' for name, *_ in fields)
    con.execute(f'CREATE TABLE "copy" AS SELECT {selected} FROM "{entry.objects[0]}"')
    con.execute(f'DROP TABLE "{entry.objects[0]}"')
    con.execute(f'ALTER TABLE "copy" RENAME TO "{to}"')


def newer(entry: Dmo) -> Callable[[str], str]:
    """Field names of the `std__` family."""
    by_source = {column.source: column for column in entry.columns}

    def name(source: str) -> str:
        others = by_source[source].other_sources if source in by_source else ()
        known = [other for other in others if other.startswith("std__")]
        return known[0] if known else source.replace("ssot__", "std__", 1)

    return name


@cache
def rows_of(layout: str) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    build_org(con, days=2, sessions_per_day=5, seed=3, end=END)
    for entry in SESSION_DMOS:
        if layout == "std":
            renamed(con, entry, entry.objects[1], newer(entry))
        elif layout == "capitals":
            renamed(con, entry, entry.objects[0].upper(), str.upper)
        elif layout == "wide":
            for number in range(60):
                kind = ("VARCHAR", "TIMESTAMPTZ", "DECIMAL(18,2)", "BOOLEAN")[number % 4]
                name = f"ssot__Newer{number}__c"
                con.execute(f'ALTER TABLE "{entry.objects[0]}" ADD COLUMN "{name}" {kind}')
    return con


def extracted(ways: Ways, layout: str, data_dir: Path) -> tuple[Rows, AnotherOrg, str, str]:
    """Rows and checksum per DMO and day; the org with its calls; org id and transport."""
    org = AnotherOrg(rows_of(layout), ways)
    lake = Lake(data_dir)
    with serving(org):
        made: Connection = connection(login_url=org.url, audience=org.url)
        with Data360(made, sleep=lambda _: None) as client:
            outcomes = extract_range(
                client, lake, SESSION_DMOS, windows_of_days(DAYS, NOW), now=NOW
            )
            org_id, transport = client.org_id, client.transport
    assert {outcome.status for outcome in outcomes} == {"published"}
    held = {
        (entry.name, day): (sum(file.evidence().rows for file in files), checksum)
        for entry in SESSION_DMOS
        for day in DAYS
        for files in [lake.windows(entry.name, day)]
        for checksum in [str(lake.day_checksums(entry.name, [day]))]
    }
    return held, org, org_id, transport


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    held, *_ = extracted(Ways(), "plain", tmp_path_factory.mktemp("plain"))
    for entry in SESSION_DMOS:
        for day in DAYS:
            sql = f'SELECT count(*) FROM "{entry.objects[0]}" WHERE "{entry[entry.clock].source}"::DATE = ?'
            (count,) = rows_of("plain").execute(sql, [day]).fetchall()[0]
            assert held[entry.name, day][0] == count > 0
    return held


def spelled(timespec: str, zone: str) -> Callable[[Any], str]:
    return lambda at: at.isoformat(timespec=timespec).replace("+00:00", zone)


CONNECT_ONLY = {"v3": False, "exchange": (404, b"<html>URL No Longer Exists</html>")}
WAYS: dict[str, dict[str, Any]] = {
    "connect alone, apex spellings": {
        **CONNECT_ONLY, "complete": "RESULTSPRODUCED", "polls": 2, "wraps_status": True,
        "submit_status": 201,
    },
    "connect, mixed-case spellings, bare status": {
        **CONNECT_ONLY, "complete": "ResultsProduced", "running": "Running", "polls": 1,
    },
    "connect, numbers as text": {**CONNECT_ONLY, "text_numbers": True, "text_values": True},
    "connect, schema once, no returnedRows, lower-case names": {
        **CONNECT_ONLY, "schema_once": True, "counts_returned": False, "lower_names": True,
        "page_rows": 7,
    },
    "connect, zone as offset": {**CONNECT_ONLY, "timestamps": spelled("milliseconds", "+00:00")},
    "connect, microseconds": {**CONNECT_ONLY, "timestamps": spelled("microseconds", "Z")},
    "connect, fraction only if there is one": {
        **CONNECT_ONLY, "timestamps": lambda at: spelled("milliseconds", "Z")(at).replace(".000", ""),
    },
    "connect, no token exchange but an error in the type of a page": {
        "v3": False, "exchange": (400, b'{"error":"invalid_request"}'),
    },
    "an exchange, but no V3 behind it": {"v3": False},
    "v3 alone, older header": {
        "connect": False, "status_header": "status", "polls": 2, "complete": "RESULTS_PRODUCED",
        "running": "RUNNING_OR_UNSPECIFIED",
    },
    "v3, status in the body, numbers as text": {
        "status_in_body": True, "wraps_status": True, "text_numbers": True, "text_values": True,
    },
    "v3 without Arrow, schema once": {"arrow": False, "schema_once": True, "counts_returned": False},
    "empty first chunk": {"empty_chunk": True, "chunk_rows": 7, "lower_names": True},
    "microseconds without zone": {"timestamp_type": pa.timestamp("us")},
    "nanoseconds, another name of UTC": {"timestamp_type": pa.timestamp("ns", "Etc/UTC")},
    "milliseconds, large text": {
        "timestamp_type": pa.timestamp("ms", "+00:00"), "text_type": pa.large_string(),
    },
    "dictionaries, another media type": {
        "text_type": pa.dictionary(pa.int32(), pa.string()),
        "arrow_type": "application/octet-stream",
    },
    "hosts with a slash, placeholders filled in by the client": {
        "instance_url": "{url}/", "tenant_url": "{url}/", "binds": False,
    },
    "no identity, but a token of the org": {
        "identity": None, "access_token": ORG_ID[:15] + "!AQEA.",
    },
    "an identity of 15 characters": {"identity": "{url}/id/" + ORG_ID[:15] + "/0055g00000ABCDE"},
    "connections closed without a word": {"closes": True},
    "HTTP 1.0, compressed": {"http_1_0": True, "gzips": True},
    "slow, with a login page now and then": {"first_byte": 0.02, "html_every": 5},
}  # fmt: skip


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
def test_an_org_of_other_ways_gives_the_same_rows(
    ways: dict[str, Any], expected: Rows, tmp_path: Path
) -> None:
    held, org, org_id, transport = extracted(Ways(**ways), "plain", tmp_path)
    assert held == expected
    assert org_id == ORG_ID
    assert transport == ("arrow" if org.ways.v3 else "json")


@pytest.mark.parametrize("v3", [True, False], ids=["arrow", "json"])
@pytest.mark.parametrize("layout", ["std", "capitals", "wide"])
def test_an_org_of_other_names_gives_the_same_rows(
    layout: str, v3: bool, expected: Rows, tmp_path: Path
) -> None:
    held, *_ = extracted(Ways(v3=v3), layout, tmp_path)
    assert held == expected


@pytest.mark.parametrize(
    "missing",
    [
        (400, {"error": "42P01", "message": 'table "x" does not exist', "details": {}}),
        (400, [{"errorCode": "BAD", "message": '{"error":"42P01","message":"no table"}'}]),
        (400, [{"errorCode": "BAD", "message": "object type x not found"}]),
    ],
    ids=["engine", "engine inside Connect", "words"],
)
@pytest.mark.parametrize("v3", [True, False], ids=["arrow", "json"])
def test_an_unknown_object_is_known_by_any_refusal(
    missing: tuple[int, Any], v3: bool, expected: Rows, tmp_path: Path
) -> None:
    held, *_ = extracted(Ways(v3=v3, missing=missing), "std", tmp_path)
    assert held == expected
