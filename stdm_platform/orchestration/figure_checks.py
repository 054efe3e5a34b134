"""The checks `volume` and `null_share`: figures of read days against what days usually hold.

Belongs here: their specs, verdicts and metadata. Does not: ranges and judging (`guard`), logging the
evaluations (`dmo_assets.py`), notices (`drift_page.py`, once for each drift).

Two checks and not one for each figure: too few or repeated rows are one question to a stream, and
values that are empty or cannot be decoded are one question to a column.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

import dagster as dg

from stdm_platform.catalog import Dmo
from stdm_platform.extraction import DayOutcome
from stdm_platform.guard import Finding
from stdm_platform.guard.findings import NULL_SHARE, VOLUME, Figures
from stdm_platform.guard.judgement import FEWEST_ROWS, FEWEST_WEEKS
from stdm_platform.lake import Lake
from stdm_platform.orchestration.tables import markdown_table

CHECKS = {
    VOLUME: "Rows of a day against the same weekday of the last weeks, from the reading 24 h after its "
    "end on, and rows that repeat others under another key. Warns.",
    NULL_SHARE: "Rows without a value, and texts that no longer decode, column by column, against the "
    "last weeks. Warns.",
}
"""Name of the check → its description."""
MOST_ROWS = 50
MOST_DAYS = 7
"""Days of a run that are shown beside their weekdays; all of them are judged."""
NOT_JUDGED = (
    f"Not judged: fewer than {FEWEST_WEEKS} such weekdays are held, or less than {FEWEST_ROWS} rows are "
    "expected, where chance alone moves a day by half."
)


def figure_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of one DMO."""
    return [dg.AssetCheckSpec(name, asset=key, description=about) for name, about in CHECKS.items()]


class FigureChecks:
    """What the days that a run has read look like, each judged once."""

    def __init__(self, lake: Lake, dmo: Dmo, outcomes: Iterable[DayOutcome]) -> None:
        figures = Figures(lake)
        read = [outcome.day for outcome in outcomes if outcome.status == "published"]
        self._found = {day: figures.judge(dmo, day) for day in read}
        self._unripe = {day: figures.unripe(dmo, day) for day in read}
        self._weekdays = {day: figures.same_weekdays(dmo, day) for day in read[:MOST_DAYS]}

    def of(self, days: Collection[date]) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """Name, whether it passed, and metadata of each check, over these days."""
        for check in CHECKS:
            found = [
                each for day in days for each in self._found.get(day, []) if each.check == check
            ]
            fired = [each for each in found if each.judged.fired]
            waits = {self._unripe.get(day, "") for day in days} - {""}
            metadata = _metadata(found, fired, sorted(waits))
            yield check, not fired, metadata | (self._rows_table(days) if check == VOLUME else {})

    def _rows_table(self, days: Collection[date]) -> dict[str, Any]:
        """The days beside the same weekdays before them, newest first."""
        records = [
            dg.TableRecord({"day": each.isoformat(), "weekday": f"{each:%A}", "rows": rows, "weeks before": (day - each).days // 7})
            for day in days
            for each, rows in self._weekdays.get(day, {}).items()
        ]  # fmt: skip
        return {"same_weekdays": dg.MetadataValue.table(records)} if records else {}


def _metadata(
    found: Collection[Finding], fired: Collection[Finding], waits: list[str]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"judged": len(found), "beyond_range": len(fired)}
    shown = list(fired) or [each for each in found if not each.column]
    if shown:
        metadata["summary"] = " ".join(each.describe() for each in shown[:3])
        metadata["figures"] = dg.MetadataValue.md(
            markdown_table(list(map(_row, shown[:MOST_ROWS])))
        )
    elif not found and not waits:
        waits = [NOT_JUDGED]
    if waits:
        metadata["waits"] = " ".join(waits)
    return metadata


def _row(each: Finding) -> dict[str, Any]:
    return {
        "day": each.day.isoformat(),
        "figure": each.kind,
        "column": each.dmo[each.column].source if each.column else "",
        "found": each.judged.found,
        "expected": each.judged.expected,
    }
