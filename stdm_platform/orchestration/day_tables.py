"""What a mart's day holds, beside its materialization: rows, a few numbers, a small table.

Belongs here: SQL on the published marts for the Dagster UI. Does not: figures for people who ask
(`insight`), pages (`pages`), the events themselves (`day_events.py`).

Dagster draws numbers of materializations over the partitions, and shows tables as they are: values are
cells and never markup. One question for all days of a run; an answer that fails costs the table and not
the run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from stdm_platform.errors import StdmError
from stdm_platform.harmless import cut, harmless
from stdm_platform.marts import MartStore

logger = logging.getLogger(__name__)

MOST_ROWS = 10
LONGEST_NAME = 80
TABLES: Mapping[str, tuple[str, str]] = {
    "session_summary": (
        "agents",
        "agent_name, count(*) as sessions, count_if(completeness = 'complete') as complete_sessions, "
        "count_if(is_preview) as preview_sessions",
    ),
    "topic_routing": ("routing", "agent_name, from_topic, to_topic, sum(transitions)::bigint as transitions"),
    "topic_summary": ("topics", "agent_name, topic, sum(turn_count)::bigint as turns"),
    "session_outcome": (
        "outcomes",
        "definition, coalesce(outcome, '(cannot tell)') as outcome, count(*) as sessions",
    ),
    "action_summary": (
        "actions",
        "action_name, sum(calls)::bigint as calls, sum(error_count)::bigint as error_count",
    ),
    "quality_daily": (
        "signals",
        "signal, sum(checks)::bigint as checks, sum(flagged)::bigint as flagged",
    ),
    "llm_usage": ("models", "model, sum(calls)::bigint as calls, sum(total_tokens)::bigint as total_tokens"),
}  # fmt: skip
"""The table's name and its columns for each mart that has one; names come first, then numbers."""


def told_of_days(
    store: MartStore, mart: str, days: Sequence[date]
) -> dict[date, dict[str, dg.MetadataValue[Any]]]:
    """Metadata of each of the days: `dagster/row_count`, and the mart's table of at most `MOST_ROWS`.

    Of a day without rows it is a count of 0 where the mart was published. Nothing where it was not.
    """
    try:
        with store.connect() as connection:
            counts = dict(connection.execute(
                f"select session_date, count(*) from {mart} where session_date in "
                "(select unnest(?)) group by session_date", [list(days)],
            ).fetchall())  # fmt: skip
            tables = _tables(connection, mart, days) if mart in TABLES else {}
    except (StdmError, duckdb.Error) as error:
        logger.warning("No table of %s is shown: %s", mart, str(error).splitlines()[0])
        return {}
    return {
        day: {
            "dagster/row_count": dg.MetadataValue.int(counts.get(day, 0)),
            **({TABLES[mart][0]: dg.MetadataValue.table(tables[day])} if day in tables else {}),
        }
        for day in days
    }


def _tables(
    connection: duckdb.DuckDBPyConnection, mart: str, days: Sequence[date]
) -> dict[date, list[dg.TableRecord]]:
    columns = TABLES[mart][1]
    rows = connection.execute(
        f"select session_date, {columns} from {mart} where session_date in (select unnest(?)) group by all "
        "order by all",
        [list(days)],
    ).fetchall()
    names = [column[0] for column in connection.description or []][1:]
    by_day: dict[date, list[tuple[Any, ...]]] = {}
    for day, *values in rows:
        by_day.setdefault(day, []).append(tuple(values))
    return {day: [_record(names, each) for each in _most(found)] for day, found in by_day.items()}


def _most(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows with most of what is counted first; by name where the counts are alike."""
    return sorted(rows, key=lambda row: -next((x for x in row if isinstance(x, int)), 0))[
        :MOST_ROWS
    ]


def _record(names: Sequence[str], values: Sequence[Any]) -> dg.TableRecord:
    said = {
        name: cut(harmless(value), LONGEST_NAME) if isinstance(value, str) else value
        for name, value in zip(names, values, strict=True)
    }
    return dg.TableRecord({name: "not known" if value is None else value for name, value in said.items()})  # fmt: skip
