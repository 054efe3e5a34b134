"""A fake org that keeps the results of its queries, as Data 360 does for a day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from stdm_platform.data360 import Parameter
from stdm_platform.errors import QueryExpiredError
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult


class StoringOrg(FakeOrg):
    """`reopened` are the ids that were asked for again; `fetching` is called before rows are given."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.stored: dict[str, FakeResult] = {}
        self.reopened: list[str] = []
        self.fetching: Callable[[FakeResult], None] = lambda result: None
        self._numbers = count(1)

    def query(
        self,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        submitted: Callable[[str, str], None] = lambda query_id, transport: None,
    ) -> FakeResult:
        result = super().query(sql, parameters)
        result.query_id = f"q{next(self._numbers)}"
        if "LIMIT 0" in sql:  # a look at the columns
            return result
        self.stored[result.query_id] = result
        submitted(result.query_id, result.transport)
        return self._watched(result)

    def reopen(self, query_id: str, *, transport: str, sql_sha256: str) -> FakeResult:
        if query_id not in self.stored:
            raise QueryExpiredError("lost.")
        self.reopened.append(query_id)
        return self._watched(self.stored[query_id])

    def _watched(self, result: FakeResult) -> FakeResult:
        batches = type(result).batches.__get__(result)

        def watched() -> Any:
            self.fetching(result)
            yield from batches()

        result.batches = watched  # type: ignore[method-assign]
        return result
