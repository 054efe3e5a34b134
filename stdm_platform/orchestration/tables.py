"""What a materialization shows: figures and small tables, never text of a conversation.

Belongs here: Dagster metadata made from the outcomes of other rooms. Does not: computing figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from stdm_platform.extraction import DayOutcome
from stdm_platform.harmless import cut, harmless

MOST_ROWS = 50
LONGEST_VALUE = 200


def metadata_of_day(outcome: DayOutcome) -> dict[str, Any]:
    """Rows, bytes, rows processed, windows, seconds and a preview of one DMO and day.

    A settle pass shows as one window that is final.
    """
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": outcome.rows,
        "status": outcome.status,
        "bytes": outcome.bytes,
        "seconds": round(outcome.seconds, 3),
        "windows": dg.MetadataValue.json([str(file.window) for file in outcome.files]),
    }
    if outcome.quarantined:
        metadata["quarantined"] = outcome.quarantined
    if outcome.files:
        metadata["final"] = all(file.settled for file in outcome.files)
    if outcome.rows_processed is not None:
        metadata["rows_processed"] = outcome.rows_processed
    if outcome.absent_columns:
        metadata["absent_columns"] = list(outcome.absent_columns)
    if outcome.status == "absent":
        metadata["absent_object"] = "The org has no such object; nothing was asked for."
    if outcome.preview:
        metadata["preview"] = dg.MetadataValue.md(markdown_table(outcome.preview))
    return metadata


def vocabulary_metadata(outcomes: Sequence[DayOutcome]) -> dict[str, Any]:
    """Unseen values as served, with their counts, one table over the days."""
    rows = [
        {"day": outcome.day.isoformat(), "column": column, "value": value, "rows": count}
        for outcome in outcomes
        if outcome.verdict is not None
        for column, values in outcome.verdict.unseen.items()
        for value, count in values.items()
    ]
    if not rows:
        return {"unseen_values": 0}
    action = "Add the value to the column's vocabulary in stdm_platform/catalog/entries."
    return {
        "unseen_values": len(rows),
        "table": dg.MetadataValue.table([_record(row) for row in rows[:MOST_ROWS]]),
        "next_action": action,
    }


def quarantine_metadata(outcomes: Sequence[DayOutcome]) -> dict[str, Any]:
    """Rows kept aside by day, with what is wrong and keys to look them up; never their values."""
    rows = [
        {"day": outcome.day.isoformat(), "rows": count, "reason": reason}
        for outcome in outcomes
        if outcome.verdict is not None and outcome.quarantined
        for reason, count in outcome.verdict.quarantined.items()
    ]
    metadata: dict[str, Any] = {"quarantined": sum(outcome.quarantined for outcome in outcomes)}
    if rows:
        told = [each.verdict.describe_quarantine() for each in outcomes if each.verdict]
        metadata["table"] = dg.MetadataValue.md(markdown_table(rows[:50]))
        metadata["reasons"] = dg.MetadataValue.md("\n".join(f"- {each}" for each in told if each))
    return metadata


def _record(row: Mapping[str, Any]) -> dg.TableRecord:
    """Values as served are cells, and never markup."""
    return dg.TableRecord(
        {
            name: cut(harmless(value), LONGEST_VALUE) if isinstance(value, str) else value
            for name, value in row.items()
        }
    )


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table of the rows; pipes and line breaks in values cannot break it."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += [
        "| " + " | ".join(_cell(row.get(column)) for column in columns) + " |" for row in rows
    ]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
