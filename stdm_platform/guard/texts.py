"""Whether texts still hold what the marts take out of them.

Belongs here: the share of texts that are JSON, plain or HTML-escaped, as staging reads them. Does
not: which columns are meant (the catalog's `is_json`), what share is usual (`shares.py`).

An even sample is looked at, never more than some thousand of a window: a share needs no more, and
parsing every text would cost more than reading it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from stdm_platform.catalog import Column, Dmo
from stdm_platform.guard.sentinels import NO_VALUE

MOST_LOOKED_AT = 2_048
LONGEST = 200_000
"""Characters beyond which a text is not parsed; it is left out of the sample."""
ENTITIES = (("&quot;", '"'), ("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"))
"""As the macro `html_unescape` of the dbt models."""


class DecodedTexts:
    """Looks, over the batches of a window, whether texts can be decoded. See `Dmo`, `is_json`."""

    def __init__(self, dmo: Dmo, asked: Collection[str]) -> None:
        self._samples = {
            column.name: _Sample(column)
            for column in dmo.columns
            if column.is_json and {column.name, *(column.json_where or ())[:1]} <= set(asked)
        }

    def look(self, batch: pa.RecordBatch) -> None:
        """Take the texts of one batch."""
        for name, sample in self._samples.items():
            texts = batch.column(name)
            if sample.column.json_where is not None:
                where, value = sample.column.json_where
                texts = texts.filter(pc.equal(batch.column(where), value))
            sample.take(texts.drop_null())

    def found(self) -> dict[str, list[int]]:
        """Lake column → texts that do not decode, texts looked at."""
        return {
            name: [sample.decoded.count(False), len(sample.decoded)]
            for name, sample in self._samples.items()
            if sample.decoded
        }


class _Sample:
    """Every n-th text; n doubles when there are too many, and every second one is forgotten."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.decoded: list[bool] = []
        self._step, self._wait = 1, 0

    def take(self, texts: pa.Array) -> None:
        place = self._wait
        while place < len(texts):
            text = texts[place].as_py()
            if text not in NO_VALUE and len(text) <= LONGEST:
                self.decoded.append(is_decoded(text))
            if len(self.decoded) > MOST_LOOKED_AT:
                del self.decoded[1::2]
                self._step *= 2
            place += self._step
        self._wait = place - len(texts)


def is_decoded(text: str) -> bool:
    """Whether staging finds JSON in the text."""
    return any(map(_is_json, _forms(text)))


def _forms(text: str) -> Iterable[str]:
    yield text
    if "&" in text:
        for entity, letter in ENTITIES:
            text = text.replace(entity, letter)
        yield text.replace("&amp;", "&")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
