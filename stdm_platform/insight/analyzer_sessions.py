"""One session for `Analyzer`: as a record, as frames, as text.

Belongs here: methods about one session, and those that show something. Does not: making records.
"""

from __future__ import annotations

import sys

import polars as pl

from stdm_platform.harmless import harmless_lines
from stdm_platform.insight.analyzer_lists import Lists
from stdm_platform.insight.session_record import SessionRecord
from stdm_platform.insight.session_text import session_lines
from stdm_platform.insight.session_timeline import session_events, session_record

NOTEBOOK_WIDTH = 120


class Sessions(Lists):
    """One session at a time, from the lake itself."""

    def session(self, session_id: str) -> SessionRecord:
        """Everything that is held of a session, as a tree of turns with their messages and steps.

        Raises:
            NotExtractedError: no held day has the session.

        >>> record = Analyzer("./stdm_data").session("s1")
        >>> [(turn.number, turn.topic, len(turn.events)) for turn in record.turns]
        [(1, 'Orders', 4), (2, 'Returns', 4), (None, None, 1)]
        >>> record.turns[1].events[1].changes
        (VariableChange(name='retries', before=0, after=1),)
        """
        return session_record(self._lake, self._store, session_id, host=self.instance_url)

    def session_timeline_optimized(self, session_id: str) -> pl.DataFrame:
        """All events of a session in the order in which they happened; `stdm debug-session --format json`.

        Returns:
            One row per event: `event_number`, `event_at` and `ended_at` (UTC), `duration_ms`, `event_kind`,
            `event_type`, `turn_number`, `name`, `topic`, `is_error`, `error_text`, `text`, `input`, `output`,
            `variables_before`, `variables_after`, `variables_changed`, keys, `url`.

        Raises:
            NotExtractedError: no held day has the session.

        >>> events = Analyzer("./stdm_data").session_timeline_optimized("s2")
        >>> events["event_kind"].to_list()
        ['session_start', 'turn', 'message', 'step', 'step', 'message', 'step', 'interaction', 'session_end']
        """
        return session_events(self.session(session_id))

    def message_timeline(self, session_id: str) -> pl.DataFrame:
        """What was said in a session, and the moments that were found in it, in their order.

        Returns:
            One row per message or moment: `timestamp` (UTC), `turn_number`, `event_type` (`Input`,
            `Output` or `moment`), `topic`, `text`.

        Raises:
            NotExtractedError: no held day has the session.

        >>> Analyzer("./stdm_data").message_timeline("s2").select("event_type", "text").rows()
        [('Input', 'Where is my order?'), ('Output', 'It is on its way.')]
        """
        events = self.session_timeline_optimized(session_id)
        said = events.filter(pl.col("event_kind").is_in(["message", "moment"]))
        return said.select(
            pl.col("event_at").alias("timestamp"),
            "turn_number",
            pl.coalesce("event_type", "event_kind").alias("event_type"),
            "topic",
            "text",
        )

    def print_session_debug(self, session_id: str, *, full: bool = False) -> None:
        """Show a session as `stdm debug-session` does; `full` with all text and payloads.

        >>> Analyzer("./stdm_data").print_session_debug("s4")  # doctest: +ELLIPSIS
        Session s4
          agent    Orders_Bot v1
        ...
        """
        lines = session_lines(self.session(session_id), width=NOTEBOOK_WIDTH, full=full)
        self._show("\n".join(line.text for line in lines))

    def print_summary(self, agent: str | None = None) -> None:
        """Show sessions by agent and channel, and what the figures rest on.

        >>> Analyzer("./stdm_data").print_summary()  # doctest: +ELLIPSIS
        Sessions of 2026-01-14 to 2026-01-15 (UTC): 4, of which 1 previews (left out), 3 complete
        ...
        """
        facts = self.freshness(agent)
        if not facts["sessions"]:
            self._show(f"No session is held for {self.scope.days()}.")
            return
        previews = "counted" if self.scope.previews else "left out"
        self._show(
            f"Sessions of {facts['first_day']} to {facts['last_day']} (UTC): {facts['sessions']:,}, "
            f"of which {facts['preview_sessions']:,} previews ({previews}), "
            f"{facts['complete_sessions']:,} complete\n{_as_text(self.session_summary(agent))}"
        )

    def print_quality_report(self, agent: str | None = None) -> None:
        """Show the quality signals with the definition of each.

        >>> Analyzer("./stdm_data").print_quality_report()  # doctest: +ELLIPSIS
        groundedness: Flagged when a validation step calls the answer ungrounded; ...
        ...
        """
        report = self.quality_report(agent)
        said = report.select("signal", "definition").rows()
        definitions = "\n".join(f"{signal}: {definition}" for signal, definition in said)
        self._show(f"{definitions}\n{_as_text(report.drop('definition'))}")

    def _show(self, text: str) -> None:
        print_to = self._output or sys.stdout
        print_to.write(f"{harmless_lines(text)}\n")


def _as_text(frame: pl.DataFrame) -> str:
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_width_chars=240, fmt_str_lengths=80):  # fmt: skip
        return str(frame)
