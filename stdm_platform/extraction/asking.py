"""Ask once more when the org lost the answer.

Belongs here: small questions (looks, counts) whose result is lost or short. Does not: windows, which
start again as a whole (`reading.py`), or attempts of one request (`data360`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from stdm_platform.errors import IncompleteResultError, QueryExpiredError

logger = logging.getLogger(__name__)

QUERIES_PER_ANSWER = 6
"""A lost query id leads to a new query, which is billed again."""

T = TypeVar("T")


def until_answered(ask: Callable[[], T]) -> T:
    """What `ask` gives, asked again while the org loses the query or gives it short.

    Raises:
        QueryExpiredError, IncompleteResultError: so did the last one.
    """
    for number in range(1, QUERIES_PER_ANSWER + 1):
        try:
            return ask()
        except (QueryExpiredError, IncompleteResultError) as error:
            if number == QUERIES_PER_ANSWER:
                raise
            logger.warning("%s It is asked again.", error.message)
    raise AssertionError("unreachable: the last attempt raises")
