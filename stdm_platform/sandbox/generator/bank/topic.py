"""The form of a topic. Belongs here: `Topic`, `Action`. Does not: any topic."""

from __future__ import annotations

from dataclasses import dataclass

PLATFORM_ERRORS: tuple[str, ...] = (
    "UNKNOWN_EXCEPTION: The Flow interview failed to finish in time.",
    "System.CalloutException: Read timed out",
    "INVALID_INPUT: Required input 'recordId' is missing.",
)


@dataclass(frozen=True)
class Action:
    """A Flow or Apex action: its name, the JSON it takes, the JSON it gives, how it fails.

    The texts may hold `{ref}`, `{name}`, `{city}`, `{day}` and `{amount}`.
    """

    name: str
    argument: str
    answer: str
    errors: tuple[str, ...] = PLATFORM_ERRORS


@dataclass(frozen=True)
class Topic:
    """A topic: what people ask under it, what the agent answers, and what it can do."""

    name: str
    gist: str
    utterances: tuple[str, ...]
    answers: tuple[str, ...]
    actions: tuple[Action, ...]
