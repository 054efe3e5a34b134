"""Ask Data 360: tokens, queries, paging, retries.

Belongs here: everything between an SQL text and record batches whose rows are proven by count, on
both API planes. Does not: DMOs, windows, the lake, Dagster; what the SQL should be is `extraction`'s.

The way of a query: `client` chooses the plane, `planes` puts the token of `tokens` on each request,
`requester` sends it until it is answered, `polling` waits, `chunks` and `ranges` read in order,
`decode` makes batches, `result` counts them. Refusals become errors in `refusals` and
`token_refusals`.
"""

from __future__ import annotations

from stdm_platform.data360.client import Data360
from stdm_platform.data360.columns import Parameter, ResultColumn
from stdm_platform.data360.connection import Connection
from stdm_platform.data360.describe import ObjectDescription
from stdm_platform.data360.result import QueryResult, sql_hash

__all__ = [
    "Connection",
    "Data360",
    "ObjectDescription",
    "Parameter",
    "QueryResult",
    "ResultColumn",
    "sql_hash",
]
