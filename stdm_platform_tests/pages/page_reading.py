"""What a page says, read from its HTML without a browser: tables, notes, the data block."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Read:
    """Figures by their key: `tables` of rows of raw values, the SQL of each or a command, `notes` as text."""

    tables: dict[str, list[list[list[str]]]] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    text: str = ""

    @property
    def source(self) -> dict[str, str]:
        """The first SQL, or the command, of each figure."""
        return {figure: said[0] for figure, said in self.sources.items()}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read = Read()
        self._figure = ""
        self._cell: list[str] | None = None
        self._raw: str | None = None
        self._into: str | None = None
        self._skip = 0
        self._in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in {"script", "style"}:
            self._skip += 1
        elif tag == "article":
            self._figure = said.get("id") or ""
        elif tag == "tbody":
            self._in_body = True
            self.read.tables.setdefault(self._figure, []).append([])
        elif tag == "tr" and self._in_body:
            self.read.tables[self._figure][-1].append([])
        elif tag in {"td", "th"} and self._in_body:
            self._cell, self._raw = [], said.get("data-raw")
        elif tag == "code":
            self._into = "source"
            if self._figure:
                self.read.sources.setdefault(self._figure, []).append("")
        elif tag == "p" and said.get("class") in {"note", "nothing"}:
            self._into = "notes"
            self.read.notes.setdefault(self._figure, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._skip -= 1
        elif tag == "tbody":
            self._in_body = False
        elif tag in {"td", "th"} and self._cell is not None:
            shown = "".join(self._cell)
            self.read.tables[self._figure][-1][-1].append(shown if self._raw is None else self._raw)
            self._cell = None
        elif tag in {"code", "p"}:
            self._into = None
        elif tag == "article":
            self._figure = ""

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        self.read.text += data
        if self._cell is not None:
            self._cell.append(data)
        elif self._into == "source" and self._figure:
            self.read.sources[self._figure][-1] += data
        elif self._into == "notes":
            self.read.notes[self._figure][-1] += data


def read_page(page: str) -> Read:
    """The figures of a report."""
    reader = _Reader()
    reader.feed(page)
    return reader.read


def data_of(page: str) -> dict[str, object]:
    """The data block of a page."""
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    found = json.loads(block[1])
    assert isinstance(found, dict)
    return found
