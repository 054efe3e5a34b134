"""An org or a file that does not hold the rows that it says: each has to be noticed.

The keys are the checks in the code (`mutations.count_places`) without which the case goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.data360 import QueryResult, ResultColumn, connect
from stdm_platform.data360.ahead import Ahead
from stdm_platform.data360.answers import Answer, Body
from stdm_platform.data360.chunks import Chunks
from stdm_platform.data360.faults import TransientFault
from stdm_platform.data360.v3 import V3Queries
from stdm_platform.errors import DamagedFileError, IncompleteResultError, LakeError, StdmError
from stdm_platform.extraction import agents, expected_shape, extract_trees
from stdm_platform.extraction.aside import aside_of_file
from stdm_platform.extraction.question import Questions, TooManyRows
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, Window, quarantine_schema
from stdm_platform.lake.evidence import read_footer
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult
from stdm_platform_tests.extraction.world import DAY, NOW, SESSIONS, extract
from stdm_platform_tests.faults.actions import org_of
from stdm_platform_tests.faults.requests import in_memory
from stdm_platform_tests.lake.days import reading as a_reading
from stdm_platform_tests.lake.days import rows as some_rows

COLUMNS = (ResultColumn("n", "BigInt"),)
NOTHING_WRONG: list[str] = []


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"n": pa.array(numbers, pa.int64())})


def refused(ask: Callable[[], Any], *errors: type[Exception]) -> list[str]:
    """Nothing when it is refused as one of these errors."""
    try:
        given = ask()
    except errors:
        return NOTHING_WRONG
    return [f"taken for whole: {given}"]


def file_with_other_rows() -> list[str]:
    with in_memory() as folder:
        extract(org_of("old", 3), Lake(folder), SESSIONS, workers=1)
        (file,) = Lake(folder).windows("sessions", DAY)
        table = pq.read_table(file.path)
        pq.write_table(table.slice(1), file.path)
        return refused(lambda: read_footer(file.path), DamagedFileError)


def answer_of(promised: int, *batches: pa.RecordBatch) -> QueryResult:
    return QueryResult("q", "0", COLUMNS, promised, None, "arrow", lambda: iter(batches))


def more_rows_than_promised() -> list[str]:
    return refused(
        lambda: list(answer_of(2, batch(1, 2), batch(3)).batches()), IncompleteResultError
    )


def fewer_rows_than_promised() -> list[str]:
    return refused(
        lambda: list(answer_of(4, batch(1, 2), batch(3)).batches()), IncompleteResultError
    )


def chunk_that_came_short() -> list[str]:
    """The third of ten rows is missing in the chunk: going on by offset would double the fifth."""
    chunk = SimpleNamespace(rows=4, size=0, schema=None, batches=lambda: iter([batch(0, 1, 3, 4)]))

    def rows(offset: int, limit: int) -> list[pa.RecordBatch]:
        return [batch(*range(offset, min(offset + limit, 10)))]

    with ThreadPoolExecutor(1) as pool:
        chunks = Chunks(1, 10, lambda number: chunk, rows, pool, Ahead(1))
        return refused(lambda: list(chunks.batches()), IncompleteResultError)


def page(content: bytes) -> Answer:
    return Answer(200, httpx.Headers({"content-type": "application/json"}), Body([content]))


def empty_page_of_connect() -> list[str]:
    empty = page(b'{"data": []}')
    return refused(lambda: connect._read_page(empty, COLUMNS, 2, 5), TransientFault)


def empty_rows_of_the_tenant() -> list[str]:
    """The plane asks until `read` gives something; an empty page before the last row is nothing."""

    def call(method: str, path: str, read: Callable[[Answer], Any], **given: Any) -> Any:
        return read(page(b'{"data": []}'))

    plane: Any = SimpleNamespace(call=call)
    queries = V3Queries(plane, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    return refused(lambda: queries._rows("q", COLUMNS, 2, 3, 5), TransientFault)


class ShortOrg(FakeOrg):
    """Promises a row more than it gives, but for looks."""

    def query(self, sql: str, parameters: Any = ()) -> FakeResult:
        result = super().query(sql, parameters)
        if "LIMIT 0" not in sql:
            result.row_count += 1
        return result


def short_org() -> FakeOrg:
    org = ShortOrg()
    held = org_of("new", 3)
    org._connection = held._connection
    return org


def day_that_came_short() -> list[str]:
    with in_memory() as folder:
        (outcome,) = extract(short_org(), Lake(folder), SESSIONS, workers=1)
        held = Lake(folder).days("sessions")
    return NOTHING_WRONG if outcome.error is not None and not held else ["taken for whole"]


def window_of_too_many_rows() -> list[str]:
    """An answer that was cut off at the most rows of a window is not all of the window."""
    shape, window = expected_shape(SESSIONS), Window.of_day(DAY)
    questions = Questions(org_of("new", 4), shape, "keep", NOW, most=2)
    return refused(lambda: questions.ask(window, can_be_cut=True, anew=True), TooManyRows)


def tree_that_came_short() -> list[str]:
    with in_memory() as folder:
        return refused(lambda: extract_trees(short_org(), Lake(folder), ["k0"], now=NOW), StdmError)


def agents_that_came_short() -> list[str]:
    org = ShortOrg()
    org.put(SESSIONS, [])
    sql = 'SELECT "ssot__Id__c" FROM "ssot__AIAgentSession__dlm"'
    return refused(lambda: agents._texts(org, sql, ()), IncompleteResultError)


def window_with_fewer_rows_than_seen() -> list[str]:
    """A contract has seen three rows of a window, of which two were written."""
    with in_memory() as folder:
        lake, window = Lake(folder), Window.of_day(DAY)
        with lake.stage(SESSIONS, window) as staged:
            staged.write(some_rows(2, "s"))
            proof = Verdict("sessions", window, 3)
            staged.close(
                org_id=FakeOrg.org_id,
                reading=a_reading(),
                settled=False,
                absent_columns=(),
                proof=proof,
            )
            return refused(lambda: lake.publish("sessions", DAY, [staged]), LakeError)


def quarantine_that_lost_rows() -> list[str]:
    """A quarantine file with fewer rows than the footer of its window counts."""
    with in_memory() as folder:
        path = folder / "aside.parquet"
        pq.write_table(quarantine_schema(SESSIONS).empty_table(), path)
        day = Window.of_day(DAY)
        return refused(lambda: aside_of_file(path, SESSIONS, day, 1), DamagedFileError)


COUNT_CASES: dict[str, Callable[[], list[str]]] = {
    "lake.evidence.read_footer: footer.get(PREFIX + 'rows') != str(held)": file_with_other_rows,
    "data360.chunks.Chunks._rest: not _same_rows(again, last.slice(last.num_rows - overlap))": (
        chunk_that_came_short
    ),
    "data360.connect._read_page: not rows": empty_page_of_connect,
    "data360.result.QueryResult.batches: held > self.row_count": more_rows_than_promised,
    "data360.result.QueryResult.batches: held < self.row_count": fewer_rows_than_promised,
    "data360.v3.V3Queries._data.read: empty is not None and chunk.rows == 0": (
        empty_rows_of_the_tenant
    ),
    "extraction.agents._texts.read: len(values) != result.row_count": agents_that_came_short,
    "extraction.question.Questions._bounded: most is not None and rows > most": (
        window_of_too_many_rows
    ),
    "extraction.reading.WindowReader._pour: arrived != result.row_count": day_that_came_short,
    "extraction.aside.aside_of_file: table.num_rows != rows": quarantine_that_lost_rows,
    "lake.proof.refuse_unproven: (proof.rows, kept_aside) != (written + aside, aside)": (
        window_with_fewer_rows_than_seen
    ),
    "extraction.tree_reading.TreeReader._ask: arrived != result.row_count": tree_that_came_short,
}
