"""What bare `httpx` and `pyarrow` need to fetch and write rows: the floor under our extraction.

`python -m stdm_platform_tests.benchmarks.floor --transport arrow --questions FILE --to FOLDER` asks the org
of the `STDM_…` variables what `questions_of` wrote into the file, reads each answer with four requests in
flight and writes one zstd Parquet file for it. It prints rows, seconds and bytes as JSON. No checks, no
retries, no orchestration: whatever goes wrong ends it. Nothing of ours is imported.

Arrow: chunks of Query API V3. JSON: pages of Connect `query-sql`, read by orjson, each column made into an
Arrow array by C code alone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

IN_FLIGHT = 4
ROW_GROUP_ROWS = 122_880
"""As many as ours holds at most; pyarrow's own million rows takes more memory and no less time."""

ARROW = "application/vnd.apache.arrow.stream"
SECONDS = 120.0
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE_GRANT = "urn:salesforce:grant-type:external:cdp"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # its kind, not a token


@dataclass
class Wire:
    """A client of one host, with the bytes of the bodies that came."""

    client: httpx.Client
    received: int = 0

    def bytes(self, method: str, path: str, **given: Any) -> bytes:
        """The body of an answer."""
        answer = self.client.request(method, path, **given)
        answer.raise_for_status()
        content = answer.content
        self.received += len(content)
        return content


def main() -> None:
    """Read the day and print what it took."""
    wanted = _arguments()
    begun = time.monotonic()
    read = {"arrow": arrow_tables, "json": json_tables}[wanted.transport]
    counts, received = {}, 0
    for name, (sql, values) in json.loads(wanted.questions.read_text()).items():
        tables, wire = read(sql, values)
        counts[name] = write(tables, wanted.to / f"{name}.parquet")
        received += wire.received
    seconds = time.monotonic() - begun
    found = {
        "rows": sum(counts.values()),
        "counts": counts,
        "seconds": seconds,
        "rows_per_second": sum(counts.values()) / seconds,
        "bytes_in": received,
        "bytes_out": sum(path.stat().st_size for path in wanted.to.glob("*.parquet")),
    }
    print(json.dumps(found))


def write(tables: Iterator[pa.Table], path: Path) -> int:
    """Write tables into one file as they come; the rows."""
    first = next(tables)
    rows, waiting, held = 0, [first], first.num_rows
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        for table in tables:
            waiting.append(table)
            held += table.num_rows
            if held >= ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
                rows, waiting, held = rows + held, [], 0
        if waiting:
            writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
    return rows + held


def arrow_tables(sql: str, values: list[str]) -> tuple[Iterator[pa.Table], Wire]:
    """The rows as Arrow chunks."""
    wire = _tenant(_org())
    given = [{"type": "varchar", "value": value} for value in values]
    body = {"sql": sql, "transferMode": "ASYNC", "parameters": given}
    answer = wire.client.post("/api/v3/query", json=body).raise_for_status()
    status = orjson.loads(answer.headers["x-hyperdb-status"])
    path = f"/api/v3/query/{status['queryId']}"
    while status["completionStatus"] == "RUNNING_OR_UNSPECIFIED":
        status = orjson.loads(wire.bytes("GET", path, params={"waitTimeMs": 10_000}))

    def chunk(number: int) -> pa.Table:
        content = wire.bytes("GET", f"{path}/chunks/{number}", headers={"Accept": ARROW})
        return pa.ipc.open_stream(pa.py_buffer(content)).read_all()

    return _in_order(chunk, range(int(status["chunkCount"]))), wire


def json_tables(sql: str, values: list[str]) -> tuple[Iterator[pa.Table], Wire]:
    """The rows as JSON pages, numbers and booleans typed, all else text as served."""
    wire = _org()
    given = [{"type": "Varchar", "value": value} for value in values]
    path = f"/services/data/v{os.environ.get('STDM_API_VERSION') or '64.0'}/ssot/query-sql"
    page = orjson.loads(wire.bytes("POST", path, json={"sql": sql, "sqlParameters": given}))
    status, columns = page["status"], page["metadata"]
    path = f"{path}/{status['queryId']}"
    while status["completionStatus"].upper() == "RUNNING":
        status = orjson.loads(wire.bytes("GET", path, params={"waitTimeMs": 10_000}))
    schema = pa.schema([(one["name"], _arrow_type(one["type"])) for one in columns])
    if not page["data"]:
        page = orjson.loads(wire.bytes("GET", f"{path}/rows", params={"offset": 0}))
    first, total = page["data"], int(status["rowCount"])
    size = max(len(first), 1)

    def rows(start: int) -> pa.Table:
        held: list[list[Any]] = []
        while (missing := min(size, total - start) - len(held)) > 0:
            asked = {"offset": start + len(held), "rowLimit": missing, "omitSchema": "true"}
            held += orjson.loads(wire.bytes("GET", f"{path}/rows", params=asked))["data"]
        return _table(held, schema)

    def pages() -> Iterator[pa.Table]:
        yield _table(first, schema)
        yield from _in_order(rows, range(len(first), total, size))

    return pages(), wire


def _table(rows: list[list[Any]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _in_order(fetch: Callable[[int], pa.Table], places: Iterable[int]) -> Iterator[pa.Table]:
    begun: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        for place in places:
            begun.append(pool.submit(fetch, place))
            if len(begun) >= IN_FLIGHT:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def _org() -> Wire:
    given, now = os.environ, int(time.time())
    login = given["STDM_LOGIN_URL"]
    key = Path(given["STDM_PRIVATE_KEY_FILE"]).read_text()
    audience = given.get("STDM_JWT_AUDIENCE") or login
    claims = {"iss": given["STDM_CONSUMER_KEY"], "sub": given["STDM_USERNAME"], "aud": audience}
    signed = jwt.encode({**claims, "iat": now, "exp": now + 120}, key, algorithm="RS256")
    form = {"grant_type": JWT_GRANT, "assertion": signed}
    with httpx.Client(trust_env=False) as client:
        token = client.post(f"{login}/services/oauth2/token", data=form).raise_for_status().json()
    return _wire(token)


def _tenant(org: Wire) -> Wire:
    bearer = org.client.headers["Authorization"].removeprefix("Bearer ")
    form = {
        "grant_type": EXCHANGE_GRANT,
        "subject_token": bearer,
        "subject_token_type": ACCESS_TOKEN,
    }
    return _wire(orjson.loads(org.bytes("POST", "/services/a360/token", data=form)))


def _wire(token: dict[str, Any]) -> Wire:
    url = str(token["instance_url"])
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    base = url if "://" in url else f"https://{url}"
    return Wire(httpx.Client(base_url=base, headers=headers, timeout=SECONDS, trust_env=False))


def _arrow_type(name: str) -> pa.DataType:
    known = {"Boolean": pa.bool_(), "Double": pa.float64(), "Float": pa.float64()}
    whole = {"Integer": pa.int64(), "BigInt": pa.int64(), "SmallInt": pa.int64()}
    return {**known, **whole, "Numeric": pa.float64()}.get(name, pa.string())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="floor", description=__doc__.splitlines()[0])
    parser.add_argument("--transport", choices=("arrow", "json"), default="arrow")
    parser.add_argument("--questions", type=Path, required=True, help="JSON: name to [sql, values]")
    parser.add_argument("--to", type=Path, required=True, help="folder for the Parquet files")
    return parser.parse_args()


if __name__ == "__main__":
    main()
