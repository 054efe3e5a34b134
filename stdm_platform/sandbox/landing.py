"""The lag table as SQL: when a row lands, when it is final, how it reads in between.

Belongs here: predicates and values for the views that clients see, and the schema `truth` in which
a test compares what is visible at an instant with all there is. Does not: the lags (`lags.py`).

All is computed from the row itself, its key and the seed: nothing is stored, a restarted org shows
the same, and rows that a test inserts land like the others. A row without an instant is visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from stdm_platform.catalog import Dmo
from stdm_platform.catalog import dmo as catalog_entry
from stdm_platform.sandbox.generator.draws import literal, share
from stdm_platform.sandbox.lags import LAGS, WORST, Band, Lags, Rewrite

NOW = "org_now"
"""The DuckDB variable that holds the clock of one query, in microseconds since 1970."""

TRUTH = "truth"
CLOSED = "org_session_closed"
BEFORE_SETTLED = timedelta(hours=1)
"""By default the last row lands so long before its settle time: "just under"."""


@dataclass(frozen=True)
class Landing:
    """How the rows of one object land, in SQL over its table.

    `columns` are those that the table has, `session_ends` is what `session_ends_of` gives.
    `longest` counts from the clock column; no row lands and no column changes later, except that
    none does so before its own end or sooner than the object's shortest lag.
    """

    dmo: Dmo
    columns: tuple[str, ...]
    session_ends: str | None
    seed: int
    longest: timedelta

    @property
    def lags(self) -> Lags:
        """The object's entry in the table."""
        return LAGS.get(self.dmo.name, WORST)

    @property
    def rows(self) -> str:
        """What the expressions of this class are over: the table, for some with a column more."""
        table = f"main.{_quoted(self.dmo.objects[0])}"
        if not self._knows_session:
            return table
        child = _quoted(self.dmo["session_id"].source)
        return (
            f"(SELECT child.*, s.closed AS {CLOSED} FROM {table} AS child "
            f"LEFT JOIN {self.session_ends} AS s ON s.session_id = child.{child})"
        )

    @property
    def _knows_session(self) -> bool:
        is_known = self.session_ends is not None and self._source("session_id") is not None
        return self.lags.since == "closed" and is_known

    def lands(self) -> str | None:
        """When a row becomes visible, microseconds since 1970; None if the table cannot tell."""
        start, end = self._instant(self.dmo.clock), self._instant("ended_at")
        if start is None or self._source(self.dmo.key) is None:
            return None
        known = [start]
        if self.lags.since != "start" and end is not None:
            known.append(end)
        if self._knows_session:
            known.append(CLOSED)
        base = f"greatest({', '.join(known)})"  # in which NULLs count for nothing
        earliest = f"{start} + {_micros(self.dmo.shortest_lag)}"
        return f"greatest({self._after(base, 'landing', self.lags.landing)}, {earliest}, {base})"

    def visible(self, now: str) -> str | None:
        """Whether a row is visible at an instant (SQL, microseconds); None if all are."""
        lands = self.lands()
        return None if lands is None else f"coalesce({lands} <= {now}, true)"

    def value(self, source: str, now: str) -> str:
        """A column as it reads at an instant."""
        plain = _quoted(source)
        for rewrite in self._rewrites():
            final = self._final(rewrite)
            if self.dmo[rewrite.column].source == source and final is not None:
                is_early = f"{final} > {now}"
                if rewrite.before is not None:
                    is_early += f" AND {plain} <> ''"  # nor null
                return f"CASE WHEN {is_early} THEN {literal(rewrite.before)} ELSE {plain} END"
        return plain

    def settles(self) -> str | None:
        """From when a row stays as it is, microseconds since 1970; None if the table cannot tell."""
        lands = self.lands()
        finals = [self._final(rewrite) for rewrite in self._rewrites()]
        found = [one for one in (lands, *finals) if one is not None]
        return f"greatest({', '.join(found)})" if found else None

    def _rewrites(self) -> Sequence[Rewrite]:
        return [one for one in self.lags.rewrites if self._source(one.column) is not None]

    def _final(self, rewrite: Rewrite) -> str | None:
        lands = self.lands()
        base = self._instant("ended_at") if rewrite.since == "end" else lands
        if lands is None or base is None:
            return None
        return f"greatest({self._after(base, rewrite.since, rewrite.lag)}, {base})"

    def _after(self, base: str, purpose: str, bands: Sequence[Band]) -> str:
        """A drawn lag after an instant, at most the longest lag after the clock column."""
        key = f"hash({_quoted(self.dmo[self.dmo.key].source)})"
        drawn = share(key, f"{self.seed}/{self.dmo.name}/{purpose}")
        start = self._instant(self.dmo.clock)
        latest = f"{start} + {_micros(self.longest)}"
        return f"least({base} + {_lag(drawn, bands, self.longest)}, {latest})"

    def _instant(self, column: str) -> str | None:
        source = self._source(column)
        return None if source is None else f"epoch_us(TRY_CAST({_quoted(source)} AS TIMESTAMPTZ))"

    def _source(self, column: str) -> str | None:
        source = self.dmo[column].source if column in self.dmo.column_names else None
        return source if source in self.columns else None


def landing_of(
    dmo: Dmo,
    columns: Sequence[str],
    session_ends: str | None,
    *,
    seed: int,
    longest_lag_hours: float | None,
) -> Landing:
    """How an object's rows land; without hours, just before the object's settle time at the latest."""
    longest = (
        dmo.settle_time - BEFORE_SETTLED
        if longest_lag_hours is None
        else timedelta(hours=longest_lag_hours)
    )
    return Landing(dmo, tuple(columns), session_ends, seed, longest)


def session_ends_of(columns: Sequence[str], *, are_unique: bool) -> str | None:
    """The sessions' ends as a table `(session_id, closed)`; None if their table cannot tell.

    A plain join of unique keys reads few of them for a day's moments (24 ms of 1.3 M sessions);
    keys that stand twice have to be grouped, or a join would double the moments (295 ms).
    """
    sessions = catalog_entry("sessions")
    key, end = sessions[sessions.key].source, sessions["ended_at"].source
    if not {key, end} <= set(columns):
        return None
    closed = f"epoch_us(TRY_CAST({_quoted(end)} AS TIMESTAMPTZ))"
    found = f"FROM main.{_quoted(sessions.objects[0])}"
    if are_unique:
        return f"(SELECT {_quoted(key)} AS session_id, {closed} AS closed {found})"
    return f"(SELECT {_quoted(key)} AS session_id, max({closed}) AS closed {found} GROUP BY 1)"


def truth_of(landing: Landing) -> list[str]:
    """The SQL that makes `truth.NAME` and `truth.NAME_at(instant)` of one object.

    `truth.sessions` has all rows and columns as they are in the end, and `lands_at` and
    `settles_at` (TIMESTAMPTZ, null for a row without an instant); `truth.sessions_at(TIMESTAMPTZ
    '…')` has the rows and values that are visible at an instant. Fields have their `ssot__` names.
    """
    name, rows = landing.dmo.name, landing.rows
    columns = ", ".join(_quoted(source) for source in landing.columns)
    now = "epoch_us(instant::TIMESTAMPTZ)"
    values = ", ".join(
        f"{landing.value(source, now)} AS {_quoted(source)}" for source in landing.columns
    )
    instants = ", ".join(
        f"{'NULL::TIMESTAMPTZ' if one is None else f'make_timestamptz({one})'} AS {column}"
        for column, one in (("lands_at", landing.lands()), ("settles_at", landing.settles()))
    )
    return [
        f"CREATE OR REPLACE VIEW {TRUTH}.{name} AS SELECT {columns}, {instants} FROM {rows}",
        f"CREATE OR REPLACE MACRO {TRUTH}.{name}_at(instant) AS TABLE "
        f"SELECT {values} FROM {rows} WHERE {landing.visible(now) or 'true'}",
    ]


def _lag(drawn: str, bands: Sequence[Band], longest: timedelta) -> str:
    """The lag, microseconds, that a draw in [0, 1) falls on."""
    total = sum(band.share for band in bands)
    reached, branches = 0.0, []
    for band in bands:
        least = min(band.least, longest)
        width = max(min(band.most or longest, longest) - least, timedelta(0))
        slope = width / timedelta(microseconds=1) / (band.share / total)
        value = f"{_micros(least)} + CAST(({drawn} - {reached!r}) * {slope!r} AS BIGINT)"
        reached += band.share / total
        branches.append(f"WHEN {drawn} < {reached!r} THEN {value}")
    branches[-1] = f"ELSE {value}"
    return f"CASE {' '.join(branches)} END" if len(branches) > 1 else f"({value})"


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


__all__ = ["NOW", "TRUTH", "Landing", "landing_of", "session_ends_of", "truth_of"]
