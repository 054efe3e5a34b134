"""How many rows an org holds of a window, by its own count.

Belongs here: `count_rows`. Does not: comparing counts. Counting is billed like reading.
"""

from __future__ import annotations

import secrets

from stdm_platform.errors import IncompleteResultError
from stdm_platform.extraction.outcome import place_of
from stdm_platform.extraction.reading import NONCES
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.sql import count_query
from stdm_platform.lake import Window


def count_rows(client: Source, shape: SourceShape, window: Window) -> int:
    """The org's own `COUNT(*)` of a window."""
    sql, parameters = count_query(shape, window, nonce=secrets.randbelow(NONCES))
    result = client.query(sql, parameters)
    values = [value for batch in result.batches() for value in batch.column(0).to_pylist()]
    if len(values) != 1 or values[0] is None:
        raise IncompleteResultError(
            f"a count was answered with {len(values)} rows.", action="Count again."
        ).during(place_of(shape.dmo, window.day))
    return int(values[0])
