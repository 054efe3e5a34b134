"""The six quality signals: what each means, of what it is a share, what it needs.

Belongs here: definitions in words. Does not: SQL (`quality.py`); the rules themselves stand in the dbt models.

Source: Data 360 page, sections 7.1 and 7.2.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Signal:
    """One signal: its definition, what one check is, and the objects of which one at least is needed."""

    name: str
    definition: str
    check: str
    objects: tuple[str, ...]


SIGNALS = {
    signal.name: signal
    for signal in (
        Signal(
            "groundedness",
            "Flagged when a validation step calls the answer ungrounded; delivered when it still reached "
            "the user: no later validation of the turn passed.",
            "one validation step with a verdict that can be read",
            ("steps",),
        ),
        Signal(
            "toxicity",
            "Flagged when the trust layer calls a text toxic, or a category but safety_score is 0.5 or more.",
            "one text that the trust layer judged",
            ("content_quality", "content_categories"),
        ),
        Signal(
            "prompt_attack",
            "Flagged when the prompt defence says that an attack was detected.",
            "one text that the prompt defence judged",
            ("content_categories",),
        ),
        Signal(
            "pii",
            "Flagged when a detector found personal data of any kind.",
            "one text in which the detector looked",
            ("content_categories",),
        ),
        Signal(
            "instruction_adherence",
            "Flagged when adherence is LOW; uncertain verdicts are not.",
            "one verdict that can be read",
            ("steps", "content_categories"),
        ),
        Signal(
            "task_resolution",
            "Flagged when the verdict is known and is not FULLY_RESOLVED; a missing or unsure one is unknown.",
            "one verdict that can be read",
            ("steps", "content_categories"),
        ),
    )
}
