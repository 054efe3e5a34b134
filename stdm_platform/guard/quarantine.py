"""Rows that cannot be trusted: which they are, how many a window may have, what is told of them.

Belongs here: sorting the rows of a batch. Does not: the other checks (`contract.py`), files (`lake`).

A row is kept aside when a required column has no value (key, clock, parent) or when a value cannot be
read as the column's type. What is wrong with a whole column (another type), with a window (a time
outside) or with a pair of rows (a repeated key) is not one row's fault and refuses the window.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from stdm_platform.catalog import Dmo
from stdm_platform.guard.contract import NULL_KEY
from stdm_platform.guard.verdict import SAMPLE_KEYS, Failure, Verdict
from stdm_platform.lake import REASON, quarantine_schema
from stdm_platform.settings import QUARANTINE_LIMIT

SHAPES, LONGEST_SHOWN = 3, 32
FIGURES = re.compile(r"\d{4}-\d\d?-\d\d?[T ]?[-0-9:.+]*Z?|[-+0-9.,:/]{1,10}")
"""What begins like an instant, or is a short number: no card and no telephone is."""
FEW_ROWS = 10
"""A share says little of few rows, so as many may be kept aside as long as they are not the most."""


def tolerated(rows: int, limit: float) -> int:
    """How many of a window's rows may be kept aside before the window is refused.

    The limit's share of them, or up to ten as long as these are at most half. A limit of 0 tolerates
    none.
    """
    return max(int(rows * limit), min(FEW_ROWS, rows // 2)) if limit > 0 else 0


@dataclass
class _Count:
    rows: int = 0
    keys: list[str] = field(default_factory=list)
    served: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Fault:
    check: str
    column: str
    marks: pa.Array


class Sorter:
    """Takes the rows that cannot be trusted out of the batches of one window.

    Args:
        column_sources: lake column → name as the org spells it.
        odd_columns: lake columns of another type than the catalog's: their nulls are no row's fault.
        limit: share of the window's rows.
    """

    def __init__(
        self,
        dmo: Dmo,
        column_sources: Mapping[str, str],
        odd_columns: Collection[str] = (),
        limit: float = QUARANTINE_LIMIT,
    ) -> None:
        self._dmo = dmo
        self._sources = column_sources
        judged = [name for name in dmo.column_names if name not in odd_columns]
        self._judged = sorted(judged, key=lambda name: name != dmo.key)
        self._limit = limit
        self._reasons: Counter[str] = Counter()
        self._counts: dict[tuple[str, str], _Count] = {}

    @property
    def rows(self) -> int:
        """Rows taken out so far."""
        return self._reasons.total()

    def take_out(
        self,
        batch: pa.RecordBatch,
        undecodable: Mapping[str, pa.Array],
        served: pa.RecordBatch,
    ) -> tuple[pa.RecordBatch, pa.RecordBatch | None]:
        """The rows that can be trusted, and in `quarantine_schema` those that cannot.

        Args:
            batch: the rows in the catalog's schema.
            undecodable: lake column → boolean array of the rows whose value could not be decoded.
            served: the same rows as they came, under the names of the lake.
        """
        faults = self._faults(batch, undecodable)
        if not faults:
            return batch, None
        marked = _any(faults)
        keys = batch.column(self._dmo.key)
        for fault in faults:
            self._count(fault, keys, served)
        reasons = self._reasons_of(faults).filter(marked)
        self._reasons.update(reasons.to_pylist())
        return batch.filter(pc.invert(marked)), self._as_served(served.filter(marked), reasons)

    def judged(self, verdict: Verdict) -> Verdict:
        """The verdict on the rows that can be trusted, with what is to be said of the others.

        Above the limit they are failures, and nothing is kept aside.
        """
        rows = verdict.rows + self.rows
        allowed = tolerated(rows, self._limit)
        found = tuple(self._found())
        if self.rows <= allowed:
            return replace(verdict, rows=rows, quarantined=dict(self._reasons), set_aside=found)
        share = f"{self.rows} of {rows} rows cannot be trusted, {allowed} may be kept aside"
        told = (
            replace(each, detail=f"{each.detail}; {share}" if each.detail else share)
            for each in found
        )
        failures = (*told, *verdict.failures)
        return replace(verdict, rows=rows, failures=failures)

    def _faults(
        self, batch: pa.RecordBatch, undecodable: Mapping[str, pa.Array]
    ) -> Sequence[_Fault]:
        """What is wrong in some row: the key first, then in the order of the columns."""
        faults = []
        for name in self._judged:
            lost = undecodable.get(name)
            if lost is not None:
                faults.append(_Fault("undecodable", name, lost))
            if self._dmo[name].required and batch.column(name).null_count:
                missing = pc.is_null(batch.column(name))
                if lost is not None:
                    missing = pc.and_not(missing, lost)
                if missing.true_count:
                    faults.append(_Fault("not_null", name, missing))
        return faults

    def _count(self, fault: _Fault, keys: pa.Array, served: pa.RecordBatch) -> None:
        count = self._counts.setdefault((fault.check, fault.column), _Count())
        count.rows += fault.marks.true_count
        wanted = SAMPLE_KEYS - len(count.keys)
        if wanted > 0 and self._dmo[self._dmo.key].sensitivity == "none":
            sample = keys.filter(fault.marks).slice(0, wanted).to_pylist()
            count.keys += [NULL_KEY if key is None else str(key) for key in sample]
        if fault.check == "undecodable" and len(count.served) < SHAPES:
            lost = _texts(_column(served, fault.column).filter(fault.marks).slice(0, SHAPES))
            may_be_shown = self._dmo[fault.column].sensitivity == "none"
            count.served += [shape(text, may_be_shown=may_be_shown) for text in lost.to_pylist()]

    def _found(self) -> list[Failure]:
        return [
            Failure(
                check,
                self._source(name),
                count.rows,
                tuple(dict.fromkeys(count.keys)),
                self._instead(name, count.served),
            )
            for (check, name), count in self._counts.items()
        ]

    def _instead(self, name: str, served: Sequence[str]) -> str:
        """What came instead of a value of the column's type, as far as it may be said."""
        different = list(dict.fromkeys(served))[:SHAPES]
        return f"{', '.join(different)} instead of {self._dmo[name].type}" if different else ""

    def _reasons_of(self, faults: Sequence[_Fault]) -> pa.Array:
        """One text per row: every fault of it, like `not_null ssot__Id__c, undecodable …`."""
        told = pl.DataFrame(
            [
                pl.Series(str(place), fault.marks).replace_strict(
                    {True: f"{fault.check} {self._source(fault.column)}"},
                    default=None,
                    return_dtype=pl.String,
                )
                for place, fault in enumerate(faults)
            ]
        )
        joined = told.select(pl.concat_str(pl.all(), separator=", ", ignore_nulls=True))
        return joined.to_series().to_arrow().cast(pa.string())

    def _as_served(self, served: pa.RecordBatch, reasons: pa.Array) -> pa.RecordBatch:
        places = {name.lower(): place for place, name in enumerate(served.schema.names)}
        columns = [
            _texts(served.column(places[name]))
            if name in places
            else pa.nulls(served.num_rows, pa.string())
            for name in self._dmo.column_names
        ]
        schema = quarantine_schema(self._dmo)
        return pa.RecordBatch.from_arrays([reasons, *columns], names=[REASON, *schema.names[1:]])

    def _source(self, name: str) -> str:
        return self._sources.get(name, self._dmo[name].source)


def shape(text: str | None, *, may_be_shown: bool) -> str:
    """A value that could not be read: itself where it is nothing but figures, else its length.

    A stream that mixes its columns up can put a conversation into any of them, so letters are not shown.
    """
    if text is None:
        return "no value"
    if may_be_shown and len(text) <= LONGEST_SHOWN and FIGURES.fullmatch(text):
        return f'"{text}"'
    return f"text of {len(text)} characters"


def _column(served: pa.RecordBatch, name: str) -> pa.Array:
    places = {each.lower(): place for place, each in enumerate(served.schema.names)}
    return served.column(places[name]) if name in places else pa.nulls(served.num_rows, pa.string())


def _any(faults: Sequence[_Fault]) -> pa.Array:
    marked = faults[0].marks
    for fault in faults[1:]:
        marked = pc.or_(marked, fault.marks)
    return marked


def _texts(values: pa.Array) -> pa.Array:
    """Values of any type as text, none lost; bytes that are no UTF-8 are replaced by U+FFFD."""
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    try:
        texts = values.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        said = [None if value is None else str(value) for value in values.to_pylist()]
        return pa.array(said, pa.string())
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        served = texts.cast(pa.binary()).to_pylist()
        said = [None if value is None else value.decode(errors="replace") for value in served]
        return pa.array(said, pa.string())
    return texts
