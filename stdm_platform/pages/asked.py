"""Put questions for a section: SQL with the scope in it, run and shown, and the reason when there is no answer.

Belongs here: what the sections share. Does not: their SQL.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

from stdm_platform.errors import ArgumentError, NotExtractedError
from stdm_platform.insight.asking import frame
from stdm_platform.marts import MartStore
from stdm_platform.pages.figures import Drawn, Figure
from stdm_platform.pages.ground import Ground

WHERE = "{where}"
NOTHING = "Nothing was found: the objects were looked at, and no row of this scope is there."


@dataclass(frozen=True)
class Words:
    """The words of a figure, and the objects of the org that it needs."""

    key: str
    title: str
    definition: str
    denominator: str
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asker:
    """The marts, and the scope of the report."""

    store: MartStore
    ground: Ground

    def rows(self, sql: str, *, previews: bool = False, has_preview: bool = True) -> pl.DataFrame:
        """The rows of SQL in which `{where}` stands for the scope; see `said`."""
        scope = self.ground.scope.with_previews() if previews else self.ground.scope
        where, values = scope.where(preview_column=has_preview)
        return frame(self.store, sql.replace(WHERE, where), values * sql.count(WHERE))

    def said(self, sql: str, *, previews: bool = False, has_preview: bool = True) -> str:
        """The same SQL as anybody can run it with `stdm sql`."""
        scope = self.ground.scope.with_previews() if previews else self.ground.scope
        where, values = scope.where(preview_column=has_preview)
        for value in values:
            where = where.replace("?", _literal(value), 1)
        return textwrap.dedent(sql).strip().replace(WHERE, where)

    def command(self, name: str, *, agent: bool = True) -> str:
        """The command that shows the same rows."""
        scope = self.ground.scope
        words = ["stdm", *name.split()]
        words += ["--since", scope.since.isoformat()] if scope.since else []
        words += ["--until", scope.until.isoformat()] if scope.until else []
        words += ["--agent", scope.agent] if scope.agent and agent else []
        words += ["--previews"] if scope.previews and name != "topics --routing" else []
        return shlex.join(words)

    def figure(self, words: Words, draw: Callable[[], Drawn]) -> Figure:
        """The figure, or why there is none: an object was never extracted, a mart is not there."""
        why_not, drawn = "", None
        try:
            drawn = draw()
        except NotExtractedError as error:
            why_not = f"Not extracted, so not known: {error}"
        except ArgumentError as error:
            why_not = f"The marts of this directory cannot answer it: {error.message}"
        else:
            if not drawn.tables:
                why_not = " ".join(drawn.notes)
            elif not any(table.rows for table in drawn.tables):
                why_not = NOTHING
                never = self.ground.never(words.objects)
                if never:
                    why_not = f"Not known: {' and '.join(never)} were not extracted for these days."
        gaps = tuple(self.ground.gaps(words.objects)) if not why_not else ()
        if drawn is not None and gaps:
            drawn = Drawn(drawn.tables, drawn.chart, drawn.sql, drawn.command, drawn.notes + gaps)
        return Figure(
            key=words.key,
            title=words.title,
            definition=words.definition,
            denominator=words.denominator,
            age=self.ground.age(words.objects),
            drawn=None if why_not else drawn,
            why_not=why_not,
        )


def _literal(value: object) -> str:
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return "'" + str(value).replace("'", "''") + "'"
