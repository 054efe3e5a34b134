"""Another org over DuckDB, written from the Data 360 page and from nothing else.

It is deliberately unlike our sandbox org wherever the page leaves room; `Ways` says in what.
"""

from __future__ import annotations

import io
import itertools
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import duckdb
import pyarrow as pa

from stdm_platform_tests.data360.another_ways import ARROW, LOGIN_PAGE, Answer, Ways

TYPES = (
    (pa.types.is_timestamp, "TimestampTZ"),
    (pa.types.is_boolean, "Boolean"),
    (pa.types.is_integer, "BigInt"),
    (pa.types.is_floating, "Double"),
    (pa.types.is_decimal, "Numeric"),
)


@dataclass
class Held:
    """One result as it was when its query ran."""

    table: pa.Table
    polls: int
    chunks: list[pa.Table] = field(default_factory=list)


class AnotherOrg:
    """The org: tokens by name, results by id, SQL run as it came."""

    def __init__(self, con: duckdb.DuckDBPyConnection, ways: Ways) -> None:
        self.con = con
        self.ways = ways
        self.url = ""
        self.results: dict[str, Held] = {}
        self.calls: list[str] = []
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        """Status, headers, body."""
        parts = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.calls.append(f"{method} {parts.path}")
        every = self.ways.html_every
        if every and len(self.calls) % every == 0:
            return 200, {"Content-Type": "text/html; charset=UTF-8"}, LOGIN_PAGE
        if parts.path == "/services/oauth2/token":
            return self._log_in()
        if parts.path == "/services/a360/token":
            return self._exchange()
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        segments = [unquote(part) for part in parts.path.strip("/").split("/")]
        if self.ways.v3 and segments[:3] == ["api", "v3", "query"]:
            if not bearer.startswith("tenant-token-"):
                return _json(401, {"error": "UNAUTHENTICATED", "message": "no"})
            wants_arrow = headers.get("Accept") == ARROW
            return self._query("v3", method, segments[3:], query, body, wants_arrow)
        if self.ways.connect and segments[:2] == ["services", "data"]:
            if not bearer.startswith(self.ways.access_token):
                return _json(401, [{"message": "no", "errorCode": "INVALID_SESSION_ID"}])
            return self._query("connect", method, segments[5:], query, body, False)
        return 404, {"Content-Type": "text/html"}, b"<html><body>URL No Longer Exists</body></html>"

    def _log_in(self) -> Answer:
        made = {
            "access_token": f"{self.ways.access_token}{next(self.numbers)}",
            "scope": "api cdpquery",
            "instance_url": self.ways.instance_url.format(url=self.url),
            "token_type": "Bearer",
            "sfdc_community_url": None,
        }
        if self.ways.identity is not None:
            made["id"] = self.ways.identity.format(url=self.url)
        return _json(200, made)

    def _exchange(self) -> Answer:
        if self.ways.exchange is not None:
            status, content = self.ways.exchange
            return status, {"Content-Type": "text/html"}, content
        return _json(
            200,
            {
                "access_token": f"tenant-token-{next(self.numbers)}",
                "instance_url": self.ways.tenant_url.format(url=self.url),
                "token_type": "Bearer",
                "expires_in": "7193" if self.ways.text_numbers else 7193,
                "sfdc_site_url": "",
            },
        )

    def _query(
        self, plane: str, method: str, rest: list[str], query: dict, body: bytes, arrow: bool
    ) -> Answer:
        if method == "DELETE":
            return 204, {}, b""
        if method == "POST":
            return self._submit(plane, json.loads(body))
        held = self.results.get(rest[0])
        if held is None:
            return _json(404, {"error": "NOT_FOUND", "message": "gone"})
        if len(rest) == 1:
            held.polls -= 1
            return self._status_only(plane, rest[0], held)
        if rest[1] == "metadata":
            return _json(200, {"metadata": {"columns": self._columns(held.table)}})
        if rest[1] == "chunks":
            return self._page(plane, rest[0], held, held.chunks[int(rest[2])], arrow)
        offset = int(query["offset"])
        if offset >= held.table.num_rows:
            return _json(400, {"error": "OUT_OF_RANGE", "message": "offset is out of range"})
        limit = min(int(query.get("limit") or query.get("rowLimit") or 1), self.ways.page_rows)
        return self._page(plane, rest[0], held, held.table.slice(offset, limit), arrow)

    def _submit(self, plane: str, body: dict[str, Any]) -> Answer:
        values = [one["value"] for one in body.get("parameters") or body.get("sqlParameters") or []]
        sql = body["sql"]
        if not self.ways.binds:
            for value in values:
                sql = sql.replace("?", f"'{value}'", 1)
            values = []
        with self.lock:
            try:
                table = self.con.sql(sql, params=values).to_arrow_table()
            except duckdb.CatalogException:
                return _json(*self.ways.missing)
            except duckdb.Error as error:
                return _json(400, [{"message": str(error), "errorCode": "BAD"}])
        held = Held(table, self.ways.polls, [table.slice(0, 0)] if self.ways.empty_chunk else [])
        rows = self.ways.chunk_rows
        held.chunks += [table.slice(at, rows) for at in range(0, table.num_rows, rows)]
        query_id = f"aG9zdDo0NDM=/{next(self.numbers)}_q"
        self.results[query_id] = held
        first = table.slice(0, 0 if plane == "v3" else self.ways.page_rows)
        status, headers, content = self._page(plane, query_id, held, first, False, submits=True)
        return (self.ways.submit_status if status == 200 else status), headers, content

    def _status(self, query_id: str, held: Held) -> dict[str, Any]:
        number = str if self.ways.text_numbers else int
        is_running = held.polls > 0
        return {
            "queryId": query_id,
            "completionStatus": self.ways.running if is_running else self.ways.complete,
            "chunkCount": number(0 if is_running else len(held.chunks)),
            "rowCount": number(0 if is_running else held.table.num_rows),
            "progress": 50 if is_running else 100,
            "stalenessReasons": [],
        }

    def _status_only(self, plane: str, query_id: str, held: Held) -> Answer:
        status = self._status(query_id, held)
        if plane == "v3" and not self.ways.status_in_body:
            return 200, {self.ways.status_header: json.dumps(status)}, b""
        return _json(200, {"status": status} if self.ways.wraps_status else status)

    def _page(
        self,
        plane: str,
        query_id: str,
        held: Held,
        rows: pa.Table,
        arrow: bool,
        submits: bool = False,
    ) -> Answer:
        status = self._status(query_id, held)
        headers = {self.ways.status_header: json.dumps(status)} if plane == "v3" else {}
        if arrow and not self.ways.arrow:
            return _json(406, {"error": "NOT_ACCEPTABLE", "message": "no Arrow here"})
        if arrow:
            return 200, {**headers, "Content-Type": self.ways.arrow_type}, self._stream(rows)
        page: dict[str, Any] = {"data": self._values(rows), "warnings": []}
        columns = self._columns(held.table) if submits or not self.ways.schema_once else []
        page["metadata"] = columns if plane == "connect" else {"columns": columns}
        if self.ways.counts_returned:
            page["returnedRows"] = rows.num_rows
        if (plane == "connect" and submits) or self.ways.status_in_body:
            page["status"] = status
        code, more, content = _json(200, page)
        return code, {**headers, **more}, content

    def _named(self, name: str) -> str:
        return name.lower() if self.ways.lower_names else name

    def _columns(self, table: pa.Table) -> list[dict[str, Any]]:
        return [
            {
                "name": self._named(column.name),
                "type": next((name for fits, name in TYPES if fits(column.type)), "Varchar"),
                "nullable": True,
                "collation": "en",
            }
            for column in table.schema
        ]

    def _values(self, table: pa.Table) -> list[list[Any]]:
        return [[self._value(value) for value in row.values()] for row in table.to_pylist()]

    def _value(self, value: Any) -> Any:
        if hasattr(value, "astimezone"):
            spell = self.ways.timestamps or (lambda at: at.isoformat(timespec="milliseconds"))
            return spell(value.astimezone(UTC))
        return str(value) if self.ways.text_values and isinstance(value, int) else value

    def _stream(self, table: pa.Table) -> bytes:
        columns, names = [], [self._named(name) for name in table.column_names]
        for column in table.columns:
            if pa.types.is_timestamp(column.type) and self.ways.timestamp_type is not None:
                column = column.cast(self.ways.timestamp_type, safe=False)
            elif pa.types.is_string(column.type) and self.ways.text_type is not None:
                is_coded = pa.types.is_dictionary(self.ways.text_type)
                column = (
                    column.dictionary_encode() if is_coded else column.cast(self.ways.text_type)
                )
            columns.append(column)
        made = pa.table(columns, names=names)
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, made.schema) as writer:
            writer.write_table(made)
        return sink.getvalue()


def _json(status: int, body: Any) -> Answer:
    return status, {"Content-Type": "application/json;charset=UTF-8"}, json.dumps(body).encode()
