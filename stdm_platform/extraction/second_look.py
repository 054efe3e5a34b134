"""Look at an object once more when the org refuses what the first look had seen.

Belongs here: an org that changes between two days of one request. Does not: the look itself
(`shape.py`), keeping it (`absence.py`).

Without it all later days would fail by a refused query, also where nothing is lost (names of the other
family), and nobody would be told what has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from stdm_platform.catalog import Dmo
from stdm_platform.errors import QueryError
from stdm_platform.extraction.absence import look_and_note
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Source
from stdm_platform.lake import Lake

A_MOMENT = timedelta(seconds=1)
"""The clock of a run stands still; kept looks need an order."""

T = TypeVar("T")


@dataclass
class Looks:
    """The newest shape of each object in one run, where it is another than at its start."""

    client: Source
    lake: Lake
    now: datetime
    newer: dict[str, SourceShape] = field(default_factory=dict)

    def reading(self, shape: SourceShape, day: date, read: Callable[[SourceShape], T]) -> T:
        """What `read` gives of the newest shape; once more with another one if the org has changed.

        Raises:
            QueryError: of `read`, when the org looks as before or has the object no more.
            FieldNotFoundError, ObjectNotFoundError: of the second look, naming what is gone.
        """
        known = self.newer.get(shape.dmo.name, shape)
        try:
            return read(known)
        except QueryError:
            again = self._again(shape.dmo, day)
            if again is None or again == known:
                raise
        self.newer[shape.dmo.name] = again
        return read(again)

    def _again(self, dmo: Dmo, day: date) -> SourceShape | None:
        number = len(self.newer) + 1
        return look_and_note(self.client, self.lake, dmo, self.now + number * A_MOMENT, f"{day}")
