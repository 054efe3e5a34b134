"""What a difference means for a user: a plain reason, and the command that mends it.

Belongs here: `Finding`, the row of a report, and its wording for source and lake. Does not: finding
differences (`comparison.py`), the marts' ones (`marts/agreement.py`), showing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from stdm_platform.catalog import dmo
from stdm_platform.extraction.comparison import WindowCheck
from stdm_platform.extraction.day_verification import DayCheck
from stdm_platform.lake import Lake, Window, holes

MOST_NAMED = 3
"""Windows that a reason names before it only counts them."""

NextReading = Callable[[Window], datetime | None]


@dataclass(frozen=True)
class Finding:
    """One row of the report: a table of the source or of the marts, and a UTC day.

    Rows are None where that side was not counted; `quarantined_rows` of the source are kept aside. `reason` also says what is no difference but worth
    knowing; `action` is the next step.
    """

    table: str
    day: date
    source_rows: int | None = None
    lake_rows: int | None = None
    mart_rows: int | None = None
    quarantined_rows: int = 0
    is_difference: bool = False
    reason: str | None = None
    action: str | None = None

    @property
    def difference(self) -> int | None:
        """Rows that did not come through: source less lake, else lake less mart."""
        if self.source_rows is not None and self.lake_rows is not None:
            return self.source_rows - self.lake_rows - self.quarantined_rows
        if self.lake_rows is not None and self.mart_rows is not None:
            return self.lake_rows - self.mart_rows
        return None


def finding_of(check: DayCheck, now: datetime, next_reading: NextReading) -> Finding:
    """The row of a day that was held against the source."""
    read = [each for each in check.windows if each.source is not None]
    groups: dict[tuple[str, bool, str], list[WindowCheck]] = {}
    for each in check.differing:
        when = _when(now, next_reading(each.file.window))
        groups.setdefault((each.kind, each.file.settled, when), []).append(each)
    reasons = [_reason(group, when) for (_, _, when), group in groups.items()]
    aside = sum(each.aside for each in check.windows)
    reasons += [f"{counted(aside)} in quarantine"] * bool(aside)
    reasons += [f"{_named(check.replaced)} changed while it was counted; skipped"] * bool(
        check.replaced
    )
    return Finding(
        check.dmo.name,
        check.day,
        sum(each.source.rows for each in read if each.source) if read else None,
        _lake_rows(check) if check.windows else None,
        quarantined_rows=aside,
        is_difference=bool(check.differing),
        reason="; ".join(reasons) or ("counts only" if check.is_plain else None),
        action=_action(check.dmo.name, check.differing) if check.differing else None,
    )


def _lake_rows(check: DayCheck) -> int:
    return sum(each.lake.rows if each.lake else each.said.rows for each in check.windows)


def refusals_of_day(lake: Lake, name: str, day: date) -> list[Finding]:
    """A row where a reading was refused, or a file lost, and no good reading has mended it since."""
    held = lake.windows(name, day)
    lost = [
        each.window
        for each in lake.refusals(name, day)
        if each.kind == "damaged" and holes(held, each.window.start, each.window.end)
    ]
    standing = lake.standing_refusal(name, day)
    reasons, windows = [], list(lost)
    if lost:
        reasons.append(
            f"the file of {_named(lost)} could not be read and was moved to refused/: not held"
        )
    if standing is not None and standing.at is not None:
        windows.append(standing.window)
        kept = "the older rows stay" if held else "nothing of it is held"
        reasons.append(
            f"{standing.details.get('rows', 'some')} rows read at {_minute(standing.at)} broke their "
            f"contract and are in refused/; {kept}"
        )
    if not reasons:
        return []
    command = _command(name, Window(min(windows).start, max(each.end for each in windows)))
    action = command if standing is None else f"mend the source, then {command}"
    return [Finding(name, day, is_difference=True, reason="; ".join(reasons), action=action)]


def _reason(group: Sequence[WindowCheck], when: str) -> str:
    first = group[0]
    rows = sum(
        each.source.rows - each.lake.rows - each.aside
        for each in group
        if each.source and each.lake
    )
    is_final = first.file.settled and not dmo(first.file.dmo).is_catalogue
    final = ", though the window was final" if is_final else ""
    read = f"since they were read at {_minute(max(each.said.read_at for each in group))}"
    columns = list(dict.fromkeys(name for each in group for name in each.columns))
    twice = sum(each.surplus for each in group)
    said = {
        "more": f"{counted(rows)} landed {read}{final}",
        "fewer": f"{counted(-rows)} deleted at the source {read}{final}",
        "doubled": f"{counted(twice)} with a repeated key at the source; a reading would be refused",
        "rewritten": f"rows were rewritten at the source {read}{final}: {_listed(columns)}",
        "damaged": "the file does not hold the rows that were written",
    }[first.kind]
    is_whole_day = [each.file.window for each in group] == [Window.of_day(first.file.day)]
    place = "" if is_whole_day else f"{_named([each.file.window for each in group])}: "
    comes = first.kind in ("more", "fewer", "rewritten") and not is_final
    return f"{place}{said}" + (f"; {when}" if comes else "")


def counted(rows: int) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{rows:,} row" + ("" if rows == 1 else "s")


def _when(now: datetime, again: datetime | None) -> str:
    if again is None:
        return "not read again by itself"
    return "due now" if again <= now else f"read again at {_minute(again)}"


def _action(name: str, differing: Sequence[WindowCheck]) -> str:
    windows = [each.file.window for each in differing]
    command = _command(name, Window(min(windows).start, max(each.end for each in windows)))
    kinds = {each.kind for each in differing}
    if "doubled" in kinds:
        return f"mend the source, then {command}"
    return f"to drop them from the lake too: {command}" if kinds == {"fewer"} else command


def _command(name: str, window: Window) -> str:
    return (
        f"stdm extract --table {name} --since {_bound(window.start)} --until {_bound(window.end)}"
    )


def _bound(instant: datetime) -> str:
    if instant.time() == time():
        return f"{instant.date()}"
    spec = "milliseconds" if instant.microsecond else "seconds"
    return instant.isoformat(timespec=spec).replace("+00:00", "Z")


def _named(windows: Sequence[Window]) -> str:
    named = [f"{window.start:%H:%M}-{window.end:%H:%M}" for window in windows[:MOST_NAMED]]
    more = len(windows) - len(named)
    return ", ".join(named) + (f" and {more} more windows" if more else "")


def _listed(columns: Sequence[str]) -> str:
    more = len(columns) - MOST_NAMED
    return ", ".join(columns[:MOST_NAMED]) + (f" and {more} more columns" if more > 0 else "")


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
