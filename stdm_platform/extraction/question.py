"""Ask for the rows of one window, or for those of a query that was asked for it before.

Belongs here: choosing between the two, the bound on rows. Does not: reading the rows (`reading.py`),
the record of what was asked (`recall.py`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stdm_platform.data360 import Parameter, sql_hash
from stdm_platform.errors import (
    AuthenticationError,
    PermissionDeniedError,
    SourceError,
    UnavailableError,
)
from stdm_platform.extraction.outcome import place_of
from stdm_platform.extraction.recall import OF_TICKS, Asked, Recall
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Result, Source, StoringSource
from stdm_platform.extraction.sql import fresh_nonce, window_query
from stdm_platform.extraction.volume import MOST_ROWS
from stdm_platform.lake import Window
from stdm_platform.lake.window import as_text, from_text

logger = logging.getLogger(__name__)


class TooManyRows(Exception):
    """The window holds more rows than one may: it is to be asked for in parts."""


@dataclass(frozen=True)
class Answer:
    """A complete result, and when its query was made: its rows are those of that time."""

    result: Result
    read_at: datetime


@dataclass(frozen=True)
class Questions:
    """Asks for windows of one DMO. `most` bounds the rows of windows that can be cut."""

    client: Source
    shape: SourceShape
    text: str
    now: datetime
    most: int = MOST_ROWS
    recall: Recall | None = None

    def ask(self, window: Window, *, can_be_cut: bool, anew: bool) -> Answer:
        """The rows of a window; `anew` asks again whatever was asked before.

        Raises:
            TooManyRows: it can be cut, and holds more than `most`.
            StdmError: what the org has against it.
        """
        most = self.most if can_be_cut else None
        known = None if anew else self._known(window)
        if known is not None and known.has_more and can_be_cut:
            raise TooManyRows
        if known is not None and not known.has_more:  # else its result lacks the rows beyond `most`
            result = self._reopened(window, known)
            if result is not None:
                return self._bounded(window, Answer(result, from_text(known.read_at)), known.most)
        asked = window_query(self.shape, window, text=self.text, nonce=fresh_nonce(), most=most)
        return self._bounded(window, Answer(self._submitted(window, most, *asked), self.now), most)

    def done(self, window: Window) -> None:
        """The rows of the window are where they belong."""
        if self.recall is not None:
            self.recall.forget(window)

    def _bounded(self, window: Window, answer: Answer, most: int | None) -> Answer:
        rows = answer.result.row_count
        if most is not None and rows > most:
            if self.recall is not None:
                self.recall.note_more(window)
            logger.warning(
                "%s: %s holds more than %s rows and is asked for in parts; %s rows were billed.",
                place_of(self.shape.dmo, window.day), window, f"{most:,}",
                answer.result.rows_processed,
            )  # fmt: skip
            raise TooManyRows
        if rows > self.most:
            logger.warning(
                "%s: %s rows of %s cannot be told apart by windows; they are read as one.",
                place_of(self.shape.dmo, window.day), f"{rows:,}", window,
            )  # fmt: skip
        return answer

    def _submitted(
        self, window: Window, most: int | None, sql: str, parameters: Sequence[Parameter]
    ) -> Result:
        client, recall = self.client, self.recall
        if recall is None or not isinstance(client, StoringSource):
            return self.client.query(sql, parameters)
        org_id = self.client.org_id

        def note(query_id: str, transport: str) -> None:
            recall.note(
                window,
                query_id=query_id,
                transport=transport,
                sql_sha256=sql_hash(sql, parameters),
                question=self._question(window),
                org_id=org_id,
                read_at=as_text(self.now),
                most=most,
            )

        return client.query(sql, parameters, submitted=note)

    def _known(self, window: Window) -> Asked | None:
        """What was asked for just this, if a reading of that time is as good as one of now."""
        known = None if self.recall is None else self.recall.windows().get(window)
        if known is None or known.question != self._question(window):
            return None
        if known.org_id != self.client.org_id:
            return None
        read_at = from_text(known.read_at)
        if known.owner == OF_TICKS and self._marks(window, read_at) != self._marks(
            window, self.now
        ):
            return None
        return known

    def _marks(self, window: Window, at: datetime) -> int:
        """How many marks of the schedule have passed for it at that time."""
        dmo = self.shape.dmo
        return sum(window.end + mark <= at for mark in (*dmo.again_after, dmo.settle_time))

    def _reopened(self, window: Window, known: Asked) -> Result | None:
        """The rows of that query, if the org still has them."""
        if not isinstance(self.client, StoringSource):
            return None
        place = place_of(self.shape.dmo, window.day)
        try:
            result = self.client.reopen(
                known.query_id, transport=known.transport, sql_sha256=known.sql_sha256
            )
        except (UnavailableError, PermissionDeniedError, AuthenticationError):
            raise
        except SourceError as error:
            logger.warning("%s: a stored result is asked anew: %s", place, error.message)
            return None
        logger.info("%s: the rows of %s are those of a stored result", place, window)
        return result

    def _question(self, window: Window) -> str:
        """A digest that is the same each time the same is asked."""
        sql, parameters = window_query(self.shape, window, text=self.text, nonce=0)
        said = [sql, *(each.value for each in parameters)]
        return hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]
