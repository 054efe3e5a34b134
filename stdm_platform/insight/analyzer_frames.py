"""What every part of `Analyzer` stands on: its directory, its scope, its lazy frames.

Belongs here: opening and closing, lazy frames of tables and marts. Does not: questions (`analyzer_figures.py`,
`analyzer_lists.py`, `analyzer_sessions.py`).
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import polars as pl

from stdm_platform.catalog import DMOS
from stdm_platform.errors import ArgumentError
from stdm_platform.insight.asking import query
from stdm_platform.insight.lazy_frames import LazyFrames, as_day
from stdm_platform.insight.scope import Scope

DATA_DIR = "STDM_DATA_DIR"


class AnalyzerFrames:
    """A data directory and a scope; see `Analyzer`."""

    def __init__(
        self,
        data_dir: str | Path | None = None,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        agent: str | None = None,
        previews: bool = False,
        instance_url: str = "",
        output: TextIO | None = None,
    ) -> None:
        path = Path(data_dir or os.environ.get(DATA_DIR) or "stdm_data")
        if path.is_file():
            raise ArgumentError(f"The data directory {path} is a file.", action="Give another one.")
        self.scope = Scope(as_day(since), as_day(until), agent, previews)
        self.instance_url = instance_url.rstrip("/")
        self._frames = LazyFrames(path, self.scope.since, self.scope.until)
        self._store, self._lake = self._frames.store, self._frames.lake
        self._output = output

    def close(self) -> None:
        """Let go of the tables; lazy frames of them can be collected no more."""
        self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def tables(self) -> list[str]:
        """The objects that were ever extracted here, by the names that `table` takes.

        >>> "steps" in Analyzer("./stdm_data").tables()
        True
        """
        return [entry.name for entry in DMOS if self._lake.days(entry.name)]

    def marts(self) -> list[str]:
        """The marts that were published here, by the names that `mart` takes.

        Raises:
            NotExtractedError: no marts were published yet.

        >>> "session_summary" in Analyzer("./stdm_data").marts()
        True
        """
        names = self.sql("select view_name from duckdb_views() where not internal order by 1")
        return [str(name) for name in names["view_name"].to_list()]

    def table(self, name: str) -> pl.LazyFrame:
        """The rows of any object of the catalog, as served, lazily.

        Returns:
            One row per row of the object, columns as README's table lists them, and `date`, the UTC day.

        Raises:
            ArgumentError: the catalog has no such object.
            NotExtractedError: it was never extracted for these days.

        >>> analyzer = Analyzer("./stdm_data")
        >>> analyzer.table("steps").filter(step_type="ACTION_STEP").select(pl.len()).collect().item()
        4
        """
        return self._frames.table(name)

    def mart(self, name: str) -> pl.LazyFrame:
        """The rows of any published mart, lazily; `marts()` lists them.

        Raises:
            ArgumentError: there is no such mart.
            NotExtractedError: no marts were published yet.

        >>> analyzer = Analyzer("./stdm_data")
        >>> analyzer.mart("session_summary").select("session_id", "turn_count").sort("session_id").collect().rows()
        [('s1', 2), ('s2', 1), ('s3', 1), ('s4', 1)]
        """
        return self._frames.mart(name)

    def sql(self, statement: str) -> pl.DataFrame:
        """The rows of SQL on the published marts, as `stdm sql` gives them.

        Raises:
            ArgumentError: DuckDB refused the SQL.
            NotExtractedError: no marts were published yet.

        >>> Analyzer("./stdm_data").sql("select count(*) as sessions from session_summary").item()
        4
        """
        return query(self._store, statement)

    def load_sessions(self) -> pl.LazyFrame:
        """`table("sessions")`: one row per session, previews too.

        >>> Analyzer("./stdm_data").load_sessions().select("session_id").collect().height
        4
        """
        return self.table("sessions")

    def load_interactions(self) -> pl.LazyFrame:
        """`table("interactions")`: one row per turn, and one per end of a session.

        >>> Analyzer("./stdm_data").load_interactions().filter(interaction_type="TURN").collect().height
        5
        """
        return self.table("interactions")

    def load_steps(self) -> pl.LazyFrame:
        """`table("steps")`: one row per step. It has no session key; `interaction_id` leads there.

        >>> Analyzer("./stdm_data", until="2026-01-15").load_steps().select("date").collect().n_unique()
        1
        """
        return self.table("steps")

    def load_messages(self) -> pl.LazyFrame:
        """`table("messages")`: one row per message, its time is `sent_at`.

        >>> Analyzer("./stdm_data").load_messages().filter(message_type="Input").collect().height
        5
        """
        return self.table("messages")

    def load_participants(self) -> pl.LazyFrame:
        """`table("participants")`: one row per participant of a session.

        >>> Analyzer("./stdm_data").load_participants().select("agent_api_name").collect().n_unique()
        1
        """
        return self.table("participants")

    def load_moments(self) -> pl.LazyFrame:
        """`table("moments")`: one row per request that an LLM found in a session.

        >>> Analyzer("./stdm_data").load_moments().select("session_id").collect().to_series().to_list()
        ['s4']
        """
        return self.table("moments")

    def load_generations(self) -> pl.LazyFrame:
        """`table("generations")`: one row per text that a model wrote.

        >>> Analyzer("./stdm_data").load_generations().select(pl.len()).collect().item()
        1
        """
        return self.table("generations")

    def load_content_quality(self) -> pl.LazyFrame:
        """`table("content_quality")`: one row per text that the trust layer judged.

        >>> Analyzer("./stdm_data").load_content_quality().select(pl.len()).collect().item()
        1
        """
        return self.table("content_quality")

    def load_content_categories(self) -> pl.LazyFrame:
        """`table("content_categories")`: one row per category that a detector looked for in a text.

        >>> Analyzer("./stdm_data").load_content_categories().select(pl.len()).collect().item()
        3
        """
        return self.table("content_categories")
