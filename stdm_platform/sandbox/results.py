"""Results: each query's rows as they were when it ran, on disk, served in any order.

Belongs here: running a query in the background, the chunks it gives, their life. Does not: the
shapes in which a plane serves them. Memory holds one chunk, however long the result.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from stdm_platform.sandbox.dialect import Query
from stdm_platform.sandbox.engine import open_query, refusal_of
from stdm_platform.sandbox.org import Org
from stdm_platform.sandbox.refusals import query_unknown
from stdm_platform.sandbox.stored import Result

RETENTION = timedelta(hours=24)
BATCH_ROWS = 16_384
WORKERS = 4
KEPT_BYTES = 8_000_000_000
KEPT_RESULTS = 20_000
HOST = base64.b64encode(b"10.23.156.208:7484").decode().rstrip("=")


class ResultStore:
    """The results of an org, by query id."""

    def __init__(self, org: Org, folder: Path, *, chunk_rows: int, chunk_bytes: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._org = org
        self._folder = folder
        self.chunk_rows = chunk_rows
        self.chunk_bytes = chunk_bytes
        self._results: dict[str, Result] = {}
        self._running: dict[str, duckdb.DuckDBPyConnection] = {}
        self._sizes: dict[str, int] = {}  # of ended results that are kept, in bytes; oldest first
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="query")
        self._is_closing = False

    def submit(self, query: Query) -> Result:
        """Start a query; its columns are known at once, its rows later.

        Raises:
            Refusal: the engine refuses the query.
        """
        query_id = f"{HOST}_{uuid.uuid4()}"
        cursor = self._org.client_cursor()
        try:
            for name, stored_id in query.stored.items():
                cursor.register(name, self._stored(stored_id))
            relation, schema = open_query(cursor, query)
        except BaseException:
            cursor.close()
            raise
        result = Result(
            query_id=query_id,
            folder=self._folder / hashlib.sha256(query_id.encode()).hexdigest()[:24],
            schema=schema,
            expires=datetime.now(UTC) + RETENTION,
        )
        with self._lock:
            self._results[query_id] = result
            self._running[query_id] = cursor
        self._pool.submit(self._run, result, cursor, relation, query)
        return result

    def get(self, query_id: str) -> Result:
        """The result of this id.

        Raises:
            Refusal: unknown, cancelled or expired.
        """
        with self._lock:
            result = self._results.get(query_id)
        if result is None or result.expires <= datetime.now(UTC):
            raise query_unknown(query_id)
        return result

    def drop(self, query_id: str) -> None:
        """Stop a query, forget its result and its files; nothing happens for an unknown one."""
        with self._lock:
            result = self._results.pop(query_id, None)
            cursor = self._running.get(query_id)
            self._kept_bytes -= self._sizes.pop(query_id, 0)
        if cursor is not None:
            cursor.interrupt()
        if result is not None:
            result.drop()

    def interrupt(self) -> None:
        """Stop what runs and let nobody wait."""
        self._is_closing = True
        with self._lock:
            running, results = list(self._running.values()), list(self._results.values())
        for cursor in running:
            cursor.interrupt()
        for result in results:
            result.drop()

    def close(self) -> None:
        """End all work and delete the files."""
        self.interrupt()
        self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stored(self, query_id: str) -> pa.Table:
        """The rows for `result_scan`; its result has to be small enough for memory."""
        result = self.get(query_id)
        result.wait(10)
        if not result.is_done or not result.row_count:
            raise query_unknown(query_id)
        return result.rows(0, result.row_count)

    def _run(
        self,
        result: Result,
        cursor: duckdb.DuckDBPyConnection,
        relation: duckdb.DuckDBPyRelation,
        query: Query,
    ) -> None:
        began = time.monotonic()
        try:
            scanned = sum(cursor.execute(scan).fetchall()[0][0] for scan in query.scans)
            reader = relation.to_arrow_reader(min(self.chunk_rows, BATCH_ROWS))
            result.folder.mkdir(parents=True)
            for table in self._chunks(reader, result.schema):
                if self._is_closing or result.is_dropped:
                    break
                result.add(table)
            result.finish(scanned, time.monotonic() - began)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            result.fail(refusal_of(error))
        finally:
            with self._lock:
                self._running.pop(result.query_id, None)
            del relation
            cursor.close()
        self._keep(result)

    def _chunks(self, reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
        """Tables of at most `chunk_rows` rows and about `chunk_bytes` bytes; one even if empty."""
        held: list[pa.RecordBatch] = []
        rows = size = count = 0
        for batch in reader:
            is_full = rows + batch.num_rows > self.chunk_rows or size >= self.chunk_bytes
            if held and is_full:
                yield _table(held, schema)
                count += 1
                held, rows, size = [], 0, 0
            if batch.num_rows:
                held.append(batch)
                rows, size = rows + batch.num_rows, size + batch.nbytes
        if held or not count:
            yield _table(held, schema)

    def _keep(self, result: Result) -> None:
        """Count an ended result, and forget the oldest ones when all take too much room."""
        with self._lock:
            if result.query_id in self._results:
                self._sizes[result.query_id] = result.size
                self._kept_bytes += result.size
            oldest = list(islice(self._sizes, max(0, len(self._sizes) - KEPT_RESULTS)))
        for query_id in oldest:
            self.drop(query_id)
        while self._kept_bytes > KEPT_BYTES and (other := self._oldest_but(result)):
            self.drop(other)

    def _oldest_but(self, result: Result) -> str | None:
        with self._lock:
            return next((each for each in self._sizes if each != result.query_id), None)


def _table(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    columns = [
        pa.chunked_array([b.column(i) for b in batches], type=f.type) for i, f in enumerate(schema)
    ]
    return pa.Table.from_arrays(columns, schema=schema)
