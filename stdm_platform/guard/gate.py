"""The one way of rows into the lake: sorted, checked, written.

Belongs here: `Gate`, by which windows of days and whole sessions are written alike. Does not: the
checks (`contract.py`), which rows are kept aside (`quarantine.py`), files (`lake`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from stdm_platform.catalog import Dmo
from stdm_platform.guard.contract import Contract
from stdm_platform.guard.kinds import is_readable
from stdm_platform.guard.quarantine import Sorter
from stdm_platform.guard.verdict import Verdict
from stdm_platform.lake import Rows, Window
from stdm_platform.settings import QUARANTINE_LIMIT

Write = Callable[[Rows], None]
SetAside = Callable[[pa.RecordBatch], None]


class Gate:
    """The contract of one window, or of one DMO of whole sessions, with the files behind it.

    A context manager: `take` each batch, then `conclude`; the verdict is what the lake asks for when
    the rows are published.

    Args:
        dmo: the catalog's entry.
        window: where the clock has to lie; None for whole sessions.
        column_sources: lake column → name as the org spells it, of the columns asked for.
        served_types: lake column → type as served.
        write: takes the rows that passed.
        set_aside: takes the others, in `quarantine_schema`.
        spool_folder: where keys that do not fit in memory may wait.
        limit: share of the rows that may be kept aside; see `tolerated`.
    """

    def __init__(
        self,
        dmo: Dmo,
        window: Window | None,
        column_sources: Mapping[str, str],
        served_types: Mapping[str, str],
        *,
        write: Write,
        set_aside: SetAside,
        spool_folder: Path | None = None,
        limit: float = QUARANTINE_LIMIT,
    ) -> None:
        odd = [name for name, kind in served_types.items() if not is_readable(dmo[name], kind)]
        self._contract = Contract(dmo, window, column_sources, served_types, spool_folder)
        self._sorter = Sorter(dmo, column_sources, odd, limit)
        self._write = write
        self._set_aside = set_aside

    def take(
        self,
        batch: pa.RecordBatch,
        undecodable: Mapping[str, pa.Array],
        served: pa.RecordBatch,
    ) -> pa.RecordBatch:
        """Check one batch and write it; gives the rows that were not kept aside.

        Args:
            batch: the rows in the catalog's schema.
            undecodable: lake column → boolean array of the rows whose value could not be decoded.
            served: the same rows as they came.
        """
        passing, aside = self._sorter.take_out(batch, undecodable, served)
        rows = Rows(passing)
        self._contract.check(rows)
        self._write(rows)
        if aside is not None:
            self._set_aside(aside)
        return passing

    def conclude(self, held: Sequence[Path] = ()) -> Verdict:
        """The verdict on all rows; `held` are files of the same day that stay beside the window."""
        return self._sorter.judged(self._contract.conclude(held))

    def profile(self, object_name: str) -> dict[str, Any]:
        """What stands in the evidence about the rows; see `Contract.profile`."""
        return self._contract.profile(object_name)

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._contract.__exit__(kind, error, trace)
