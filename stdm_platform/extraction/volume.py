"""How ground of a day is cut into windows by the rows that it is expected to hold. Pure.

Belongs here: expected rows, the cut, the parts of a window that holds too many. Does not: what is due
(`due.py`), reading (`reading.py`), which footers are looked at (`holdings.py`).

What a window will hold is expected from footers alone: those of the same day first (a reading again
finds about what it found), else those of the nearest day and of the nearest same weekday, part of the
day by part of the day, whichever holds more. Nobody is asked for it: counting is billed like reading
(section 6.3 of the Data 360 page), so an org with small days would pay twice for nothing.

Where nothing is held of an object, its ground is asked for as one window with `LIMIT most + 1`, like
every window that could be cut: the number of rows of a result is known before any of them is fetched
(section 3.4), so a result with more than `most` rows is dropped unread, the org counts the rows of its
parts in one query, and the window is asked for in pieces made of them. An org with small days pays its
one query; one with large days pays two more on the first day of an object, and no file ever holds more.

    rows expected or found      windows
    at most `most`              one: one query, one file
    more                        as few as `target` rows in each allow, all about equally large
    more within a second        one, however large: memory does not depend on it
    more in a held window       one, because a held window is only ever replaced whole
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil

from stdm_platform.extraction.due import HeldGround
from stdm_platform.lake import Window, holes

ROWS_PER_WINDOW = 500_000
"""Of a day that is cut: some 50 MB in a file of steps, a minute to read, and what an interruption makes
us fetch again at most."""

MOST_ROWS = 1_000_000
"""A window with no more stays one, so that a day of a million rows is one query."""

LARGEST_WINDOW = 10_000_000
"""Rows per window where each query is so dear that few have to do."""

PARTS = 24
"""Of a window that holds too many rows, nobody knows how many: a day in hours."""

SHORTEST = timedelta(seconds=1)
"""Ground that is never cut: rows that all have one clock cannot be told apart by it."""

ATOMS = 16
"""Pieces of a window among which its end is chosen."""

SAME_DAY = 7
"""Days from one to the next of the same weekday."""


@dataclass(frozen=True)
class Size:
    """How many rows a window is to hold, and how many it may."""

    target: int = ROWS_PER_WINDOW
    most: int = MOST_ROWS

    @classmethod
    def at_price(cls, surcharge: int) -> Size:
        """The size where each query is billed so many rows beyond those of its window.

        A window is then made as large as what its query costs anyway, up to a bound: cutting at
        most doubles the bill.
        """
        target = min(max(ROWS_PER_WINDOW, surcharge), LARGEST_WINDOW)
        return cls(target, max(MOST_ROWS, target))


@dataclass(frozen=True)
class Volume:
    """Rows held of some days of a DMO, from which those of others are expected."""

    days: Mapping[date, Sequence[HeldGround]] = field(default_factory=dict)

    @classmethod
    def of(cls, held: Iterable[HeldGround]) -> Volume:
        """The volume of these windows; those without figures are passed over."""
        days: dict[date, list[HeldGround]] = {}
        for each in dict.fromkeys(held):
            if each.rows is not None:
                days.setdefault(each.window.day, []).append(each)
        return cls(days)

    def expected(self, window: Window) -> float | None:
        """Rows that lie in the window; None when nothing is known of any day."""
        return sum(rows for _, rows in self._pieces(window)) if self.days else None

    def cut(self, window: Window, size: Size) -> list[Window]:
        """The window in pieces of about `size.target` rows; itself when it holds few, or who knows.

        A held window is never cut: only whole ones are read again.
        """
        expected = self.expected(window)
        if expected is None or expected <= size.most:
            return [window]
        each = expected / ceil(expected / size.target)
        edges, filled = [window.start], 0.0
        for piece, rows in self._pieces(window, each / ATOMS):
            if filled and abs(filled - each) <= abs(filled + rows - each):
                edges.append(piece.start)
                filled = 0.0
            filled += rows
        return [Window(start, end) for start, end in pairwise([*edges, window.end])]

    def _pieces(self, window: Window, rows: float = float("inf")) -> Iterator[tuple[Window, float]]:
        """Held windows, and pieces of other ground of at most so many rows, with rows; in order."""
        held = [each for each in self.days.get(window.day, ()) if each.window.overlaps(window)]
        like = like_days(self.days, window.day)
        known = {each.window: float(each.rows or 0) for each in held}
        for part in sorted([*known, *holes(held, window.start, window.end)]):
            if part in known:
                yield part, known[part]
                continue
            for span in self._spans(part, like):
                yield from _pieces_of(span, self._density(span, like), rows)

    def _spans(self, window: Window, like: Iterable[date]) -> Iterator[Window]:
        """The window, parted where the expected density changes."""
        edges = {window.start, window.end}
        for day in like:
            shift = window.day - day
            for each in self.days[day]:
                edges |= {each.window.start + shift, each.window.end + shift}
        inside = sorted(edge for edge in edges if window.start <= edge <= window.end)
        return (Window(start, end) for start, end in pairwise(inside))

    def _density(self, span: Window, like: Iterable[date]) -> float:
        """Rows per second at the time of day of a span in which it does not change."""
        found = [0.0]
        for day in like:
            instant = span.start - (span.day - day)
            grounds = [e for e in self.days[day] if e.window.start <= instant < e.window.end]
            found.append(_per_second(grounds or self.days[day]))
        return max(found)


def like_days(held: Iterable[date], day: date) -> list[date]:
    """The nearest other day, the nearest other one of the same weekday, and the day itself, if held."""
    days = set(held)
    near = sorted(days - {day}, key=lambda other: (abs(other - day), other))
    same = [other for other in near if (other - day).days % SAME_DAY == 0]
    return list(dict.fromkeys([*near[:1], *same[:1], *({day} & days)]))


def parts_of(window: Window, held: Iterable[Window] = ()) -> list[Window]:
    """A window that holds too many rows, in parts; itself alone when it cannot be cut.

    Held windows stay whole, as only whole ones are read again; between them is cut too.
    """
    grounds = [each for each in held if each.overlaps(window)]
    length = max((window.end - window.start) / PARTS, SHORTEST)
    ends = {edge for each in grounds for edge in (each.start, each.end)}
    ends |= set(_ends(window, length))
    inside = sorted(
        edge
        for edge in ends
        if window.start < edge < window.end
        and not any(each.start < edge < each.end for each in grounds)
    )
    return [Window(start, end) for start, end in pairwise([window.start, *inside, window.end])]


def together(counted: Sequence[tuple[Window, int]], size: Size) -> list[Window]:
    """Parts that meet each other, with the rows counted in each, as few windows of about equal size.

    A window holds more than `size.most` only where a single part does.
    """
    total = sum(rows for _, rows in counted)
    each = total / max(ceil(total / size.target), 1)
    edges, filled = [counted[0][0].start], 0
    for part, rows in counted:
        if filled and (filled >= each or filled + rows > size.most):
            edges.append(part.start)
            filled = 0
        filled += rows
    return [Window(start, end) for start, end in pairwise([*edges, counted[-1][0].end])]


def _pieces_of(span: Window, density: float, rows: float) -> Iterator[tuple[Window, float]]:
    seconds = rows / density if density else float("inf")
    edges = [span.start, span.end]
    if seconds < (span.end - span.start).total_seconds():
        edges[1:1] = _ends(span, max(timedelta(seconds=seconds), SHORTEST))
    for start, end in pairwise(edges):
        yield Window(start, end), density * (end - start).total_seconds()


def _ends(window: Window, length: timedelta) -> Iterator[datetime]:
    """Ends inside the window, about so far from each other, at whole minutes or else seconds."""
    unit = timedelta(minutes=1) if length >= timedelta(minutes=1) else SHORTEST
    midnight, position = _midnight(window.day), window.start
    while True:
        whole = midnight + (position + length - midnight) // unit * unit
        position = whole if whole > position else position + unit
        if position >= window.end:
            return
        yield position


def _per_second(grounds: Iterable[HeldGround]) -> float:
    rows, seconds = 0, 0.0
    for each in grounds:
        rows += each.rows or 0
        seconds += (each.window.end - each.window.start).total_seconds()
    return rows / seconds if seconds else 0.0


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
