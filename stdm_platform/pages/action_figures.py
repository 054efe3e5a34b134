"""Actions and steps: how often, how wrong, how slow.

Belongs here: the section and its chart. Does not: the SQL, which `stdm actions` asks too (`insight`).
"""

from __future__ import annotations

import polars as pl

from stdm_platform.insight import action_overview, step_overview
from stdm_platform.insight.actions import ERROR_CLASSES
from stdm_platform.insight.actions import STEPS as STEPS_SQL
from stdm_platform.pages.asked import Asker, Words
from stdm_platform.pages.figures import Chart, Drawn, Section, shortened, table_of

NEEDED = ("interactions", "steps")
TOP = 15
OUTCOMES = {
    "fine_calls": ("without error", "blue"),
    "error_count": ("with error", "red"),
    "unknown_error_count": ("cannot be told", "grey"),
}
CLASS_COLOURS = ("orange", "red", "purple", "teal", "brown", "grey")
MEANINGS = {"p50_ms": "Median of timed calls, within 1 %.", "p95_ms": "95th percentile of timed calls, within 1 %.",
            "p99_ms": "99th percentile of timed calls, within 1 %."}  # fmt: skip
ACTIONS = Words(
    "actions",
    "Actions",
    "Calls of action steps by agent and action. An error is a real error text or a failing status; a slow call takes "
    "more than 10 s.",
    "error share is of the calls of which it can be told; slow calls and percentiles are of timed calls",
    NEEDED,
)
ERRORS = Words(
    "action-errors",
    "Errors of actions by class",
    "Errors by the class of their text: timeout, access, not found, limit, input, other (a status without text is "
    "other). The classes add up to the error count.",
    "calls of the action; the chart shows those with most errors",
    NEEDED,
)
STEPS = Words(
    "steps",
    "Steps",
    "All steps by type and name, over all agents of the scope; errors and percentiles as of actions.",
    "error share is of the calls of which it can be told",
    NEEDED,
)


def actions_and_errors(asker: Asker) -> Section:
    """What the agent did and what went wrong: `action_summary` and `step_summary`."""
    return Section(
        "actions-section",
        "Actions and errors",
        (
            asker.figure(ACTIONS, lambda: _actions(asker)),
            asker.figure(ERRORS, lambda: _errors(asker)),
            asker.figure(STEPS, lambda: _steps(asker)),
        ),
    )


def _actions(asker: Asker) -> Drawn:
    rows = action_overview(asker.store, asker.ground.scope)
    shown = rows.drop(f"{name}_errors" for name in ERROR_CLASSES)
    # An error count that is not known is no zero: its calls are drawn as those that cannot be told.
    split = rows.with_columns(
        fine_calls=pl.col("calls") - pl.col("error_count").fill_null(0) - pl.col("unknown_error_count")
    )  # fmt: skip
    bars = [(name, label, colour) for name, (label, colour) in OUTCOMES.items()]
    chart = _bars(split.head(TOP), bars, ACTIONS.title)
    return Drawn(
        (table_of(shown, "Actions, most calls first", mart="action_summary", said=MEANINGS),), chart, command=asker.command("actions")
    )  # fmt: skip


def _errors(asker: Asker) -> Drawn:
    columns = [f"{name}_errors" for name in ERROR_CLASSES]
    rows = action_overview(asker.store, asker.ground.scope)
    rows = rows.select("agent_name", "action_name", "calls", "error_count", *columns)
    failing = rows.filter(pl.col("error_count") > 0).sort("error_count", descending=True)
    if failing.is_empty():
        known = rows["error_count"].drop_nulls().len()
        table = table_of(rows, "Errors by action", mart="action_summary")
        note = "No call failed." if known else "Of no call it can be told whether it failed."
        return Drawn((table,), command=asker.command("actions"), notes=(note,))
    bars = [
        (column, column.removesuffix("_errors").replace("_", " "), colour)
        for column, colour in zip(columns, CLASS_COLOURS, strict=True)
    ]
    table = table_of(failing, "Actions with errors, most errors first", mart="action_summary")
    return Drawn((table,), _bars(failing.head(TOP), bars, ERRORS.title), command=asker.command("actions"))  # fmt: skip


def _steps(asker: Asker) -> Drawn:
    rows = step_overview(asker.store, asker.ground.scope)
    shown = rows.drop(f"{name}_errors" for name in ERROR_CLASSES)
    table = table_of(shown, "Steps, most calls first", mart="step_summary", said=MEANINGS)
    return Drawn((table,), sql=(asker.said(STEPS_SQL.replace("{by_class}", "")),))


def _bars(rows: pl.DataFrame, parts: list[tuple[str, str, str]], title: str) -> Chart:
    agents = rows["agent_name"].n_unique()
    names = [
        action if agents == 1 else f"{action} · {agent}"
        for agent, action in rows.select("agent_name", "action_name").iter_rows()
    ]
    return {
        "kind": "bars",
        "title": title,
        "unit": "count",
        "y": shortened(names),
        "series": [
            {"name": label, "colour": colour, "values": rows[name].to_list()}
            for name, label, colour in parts
        ],
    }
