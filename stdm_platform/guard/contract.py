"""The contract of one window, or of whole sessions, kept while it is written.

Belongs here: running the checks batch by batch and adding up what failed. Does not: the rules
themselves (`schema.py`, `keys.py`, `kinds.py`, `vocabulary.py`), what a refusal leads to
(`extraction`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow as pa
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrorReason, SchemaErrors
from pandera.polars import DataFrameSchema

from stdm_platform.catalog import Dmo
from stdm_platform.guard.keys import KeyLedger
from stdm_platform.guard.kinds import is_readable
from stdm_platform.guard.profile import RowProfile
from stdm_platform.guard.schema import named_column, pandera_schema, polars_schema, ruled_columns
from stdm_platform.guard.verdict import SAMPLE_KEYS, Failure, Verdict
from stdm_platform.guard.vocabulary import VocabularyWatch
from stdm_platform.lake import Rows, Window

NULL_KEY = "(no key)"
EXAMINED_ROWS = 65_536
"""Pandera takes some milliseconds for a frame of any size, so small batches wait for others."""
EXAMINED_BYTES = 32 * 1024 * 1024
"""But not beyond this: the keys of a batch that waits keep all of its memory."""


@dataclass
class _Count:
    rows: int = 0
    keys: list[str] = field(default_factory=list)


class Contract:
    """The checks of one window: `check` each batch, then `conclude`.

    Args:
        window: where the clock has to lie; None for whole sessions, whose rows are of any time.
        column_sources: lake column → name as the org spells it; columns that the org lacks, or
            that were not asked for, are left out.
        served_types: lake column → type as served; empty when it is not known.
        spool_folder: where keys that do not fit in memory may wait; none is the system's own.

    A context manager: the spool goes with it.
    """

    def __init__(
        self,
        dmo: Dmo,
        window: Window | None,
        column_sources: Mapping[str, str],
        served_types: Mapping[str, str] | None = None,
        spool_folder: Path | None = None,
    ) -> None:
        self._dmo = dmo
        self._window = window
        self._sources = column_sources
        self._ledger = KeyLedger(spool_folder)
        self._watch = VocabularyWatch(dmo, column_sources)
        self._profile = RowProfile(dmo, column_sources)
        self._served = dict(served_types or {})
        self._rows = 0
        self._waiting: list[pl.DataFrame] = []
        self._waiting_bytes = 0
        self._counts: dict[tuple[str, str], _Count] = {}
        self._types = {
            name: served
            for name, served in (served_types or {}).items()
            if not is_readable(dmo[name], served)
        }

    def check(
        self, batch: pa.RecordBatch | Rows, undecodable: Mapping[str, pa.Array] | None = None
    ) -> None:
        """Take one batch in the catalog's schema.

        Args:
            batch: the rows as they will be written.
            undecodable: lake column → boolean array that marks the rows whose value could not be
                decoded and stands as null.
        """
        rows = Rows.of(batch)
        for name, marks in (undecodable or {}).items():
            self._add("undecodable", name, pl.Series(values=marks), rows.frame)
        is_ours = rows.frame.schema == polars_schema(self._dmo)
        if not is_ours:
            self._examine()
        self._profile.look(rows)
        # Text is most of a batch, and no rule looks at it.
        self._waiting.append(rows.frame.select(self._ruled) if is_ours else rows.frame)
        self._waiting_bytes += rows.batch.nbytes
        is_many = sum(map(len, self._waiting)) >= EXAMINED_ROWS
        if is_many or self._waiting_bytes >= EXAMINED_BYTES or not is_ours:
            self._examine(is_ours=is_ours)

    def conclude(self, held: Sequence[Path] = ()) -> Verdict:
        """The verdict, once all rows were seen.

        Args:
            held: files of the same day that stay beside the window; their keys count too.
        """
        self._examine()
        failures = [
            Failure("column_type", self._source(name), self._rows, detail=self._served_as(name))
            for name in self._types
        ]
        failures += self._counted()
        repeats = self._ledger.repeats(self._dmo.key, held, sample=SAMPLE_KEYS)
        if repeats is not None:
            detail = f"{repeats.with_held} of them in other windows of the day"
            failures.append(
                Failure(
                    "unique_key",
                    self._source(self._dmo.key),
                    repeats.within + repeats.with_held,
                    self._shown(repeats.keys),
                    detail if repeats.with_held else "",
                    repeats.with_held,
                )
            )
        return Verdict(
            self._dmo.name, self._window, self._rows, tuple(failures), self._watch.unseen()
        )

    def profile(self, object_name: str) -> dict[str, Any]:
        """What stands in the evidence of the window (`lake.Evidence`), once all rows were seen."""
        return {
            "object": object_name,
            "types": {self._source(name): served for name, served in self._served.items()},
            **self._profile.figures(),
            "unseen": self._watch.unseen(),
        }

    @cached_property
    def _schema(self) -> DataFrameSchema:
        """Pandera takes time for each column of any frame, so it gets those that have a rule."""
        return pandera_schema(self._dmo, self._window, only=ruled_columns(self._dmo))

    @cached_property
    def _ruled(self) -> list[str]:
        """The columns whose values some rule looks at, in the catalog's order."""
        ruled = {self._dmo.key, *self._watch.columns, *self._schema.columns}
        return [name for name in self._dmo.column_names if name in ruled]

    def __enter__(self) -> Contract:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ledger.__exit__(kind, error, trace)

    def _examine(self, *, is_ours: bool = True) -> None:
        """Check what waits: ruled columns, or one whole frame that is not in the catalog's schema."""
        if not self._waiting:
            return
        frame = pl.concat(self._waiting, rechunk=False)
        # Said outright: the environment can switch Pandera off or to types only, and of a lazy
        # frame it checks the types only.
        with config_context(
            validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA
        ):
            try:
                if not is_ours:  # says what differs
                    pandera_schema(self._dmo, self._window).validate(frame, lazy=True)
                self._schema.validate(frame.select(*self._schema.columns), lazy=True)
            except SchemaErrors as broken:
                self._collect(broken, frame)
        if frame.schema.get(self._dmo.key) == pl.String:
            self._ledger.add(frame[self._dmo.key])
        if not self._types:
            self._watch.look(frame)
        self._rows += frame.height
        self._waiting.clear()
        self._waiting_bytes = 0

    def _collect(self, broken: SchemaErrors, frame: pl.DataFrame) -> None:
        for error in broken.schema_errors:
            name = str(error.schema.name)
            marks = error.check_output
            rows = None if marks is None else ~marks.to_series().fill_null(value=True)
            if error.reason_code == SchemaErrorReason.SERIES_CONTAINS_NULLS:
                self._add("not_null", name, rows, frame)
            elif error.reason_code == SchemaErrorReason.DATAFRAME_CHECK:
                self._add("clock_in_window", name, rows, frame)
            else:
                named = named_column(error, self._dmo) or name
                self._types.setdefault(named, str(frame.schema.get(named, "nothing")))

    def _add(self, check: str, name: str, rows: pl.Series | None, frame: pl.DataFrame) -> None:
        """Count the marked rows; None marks every row."""
        count = self._counts.setdefault((check, name), _Count())
        marked = frame if rows is None else frame.filter(rows)
        count.rows += marked.height
        if len(count.keys) < SAMPLE_KEYS and self._dmo.key in marked.columns:
            keys = marked[self._dmo.key].head(SAMPLE_KEYS - len(count.keys))
            count.keys += [NULL_KEY if key is None else str(key) for key in keys]

    def _counted(self) -> Iterable[Failure]:
        """Failures row by row; a null that only says "could not be decoded" is told once."""
        for (check, name), count in self._counts.items():
            rows = count.rows
            if check == "not_null":
                undecodable = self._counts.get(("undecodable", name))
                rows -= undecodable.rows if undecodable else 0
            if rows > 0 and name not in self._types:
                yield Failure(check, self._source(name), rows, self._shown(count.keys))

    def _shown(self, keys: Iterable[str]) -> tuple[str, ...]:
        known = tuple(dict.fromkeys(keys))
        return known if self._dmo[self._dmo.key].sensitivity == "none" else ()

    def _source(self, name: str) -> str:
        if name in self._sources:
            return self._sources[name]
        return self._dmo[name].source if name in self._dmo.column_names else name

    def _served_as(self, name: str) -> str:
        wanted = self._dmo[name].type if name in self._dmo.column_names else "no such column"
        return f"{self._types[name]} instead of {wanted}"
