"""Skeletons: which steps a turn is made of, in which order, and how long each takes.

Belongs here: the templates of section 5.11 for both planners, as data, and the work table that the
SQL joins. Does not: what a step says (`step_texts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag, auto

import duckdb

from stdm_platform.sandbox.generator.draws import literal


class Trait(IntFlag):
    """What a turn has: a template's step is there when the turn has all traits it needs."""

    ONE_ACTION = auto()
    TWO_ACTIONS = auto()
    THREE_ACTIONS = auto()
    VARIABLES = auto()
    CLASSIFIED = auto()
    ROUTED = auto()
    CHECKED = auto()
    RETRIED = auto()
    GUARDED = auto()
    RELATED = auto()
    INTERRUPTED = auto()


NOTHING = Trait(0)


@dataclass(frozen=True)
class Template:
    """One step of a skeleton: its kind, the least and most milliseconds, the traits it needs."""

    kind: str
    least_ms: int
    most_ms: int
    needs: Trait = NOTHING
    action_no: int = 0


def _action(number: int, needs: Trait) -> Template:
    return Template("action", 150, 640, needs, number)


LLM = (500, 1_500)
CLASSIC_STEPS = (
    Template("topic prompt", *LLM, Trait.ROUTED),
    Template("topic", 4, 40),
    Template("initial prompt", *LLM),
    _action(1, Trait.ONE_ACTION),
    Template("initial prompt", *LLM, Trait.ONE_ACTION),
    _action(2, Trait.TWO_ACTIONS),
    Template("initial prompt", *LLM, Trait.TWO_ACTIONS),
    _action(3, Trait.THREE_ACTIONS),
    Template("initial prompt", *LLM, Trait.THREE_ACTIONS),
    Template("validation", *LLM, Trait.CHECKED),
    Template("initial prompt", *LLM, Trait.RETRIED),
    Template("second validation", *LLM, Trait.RETRIED),
    Template("guardrail", 85, 610, Trait.GUARDED),
    Template("interrupt", 1, 8, Trait.INTERRUPTED),
)
NEWER_STEPS = (
    Template("variables", 1, 6, Trait.VARIABLES),
    Template("classifier", 60, 160, Trait.CLASSIFIED),
    Template("topic", 4, 40),
    Template("router", 400, 900, Trait.ROUTED),
    Template("subagent", *LLM),
    Template("related agent", 2_600, 3_400, Trait.RELATED),
    _action(1, Trait.ONE_ACTION),
    _action(2, Trait.TWO_ACTIONS),
    _action(3, Trait.THREE_ACTIONS),
    Template("groundedness", 950, 1_300, Trait.CHECKED),
    Template("subagent", *LLM, Trait.RETRIED),
    Template("second groundedness", 950, 1_300, Trait.RETRIED),
    Template("guardrail", 85, 610, Trait.GUARDED),
    Template("interrupt", 1, 8, Trait.INTERRUPTED),
)
SKELETONS: dict[str, tuple[Template, ...]] = {
    "classic": CLASSIC_STEPS,
    "newer": NEWER_STEPS,
    "flash": (Template("topic", 4, 40), Template("flash", 300, 900)),
    "greeting": (Template("variables", 1, 6, Trait.VARIABLES),),
    "end": (Template("end", 0, 12),),
}


def load_skeletons(con: duckdb.DuckDBPyConnection) -> None:
    """Make the work table `work_skeleton`."""
    rows = [
        f"({literal(shape)}, {slot}, {literal(step.kind)}, {step.least_ms}, {step.most_ms},"
        f" {int(step.needs)}, {step.action_no})"
        for shape, steps in SKELETONS.items()
        for slot, step in enumerate(steps, start=1)
    ]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE work_skeleton AS SELECT * FROM "
        f"(VALUES {', '.join(rows)}) t(shape, slot, kind, least_ms, most_ms, needs, action_no)"
    )
