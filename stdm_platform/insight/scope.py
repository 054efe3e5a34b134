"""Which sessions a question is about.

Belongs here: the filters that every question takes. Does not: questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from stdm_platform.errors import ArgumentError


@dataclass(frozen=True)
class Scope:
    """Which sessions are asked about: session days `[since, until)` in UTC, one agent, previews or not."""

    since: date | None = None
    until: date | None = None
    agent: str | None = None
    previews: bool = False

    def __post_init__(self) -> None:
        """Refuse a range that ends before it begins, with an `ArgumentError`."""
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ArgumentError(
                f"the range from {self.since} to {self.until} ends before it begins.",
                action="Give a --since before --until.",
            )

    def where(self, *, preview_column: bool = True, of: str = "") -> tuple[str, list[Any]]:
        """A SQL condition with `?` placeholders, and its values; `of` is the alias of the table."""
        name = f"{of}." if of else ""
        terms, values = ["true"], []
        for term, value in (
            ("session_date >= ?", self.since),
            ("session_date < ?", self.until),
            ("agent_name = ?", self.agent),
        ):
            if value is not None:
                terms.append(name + term)
                values.append(value)
        if preview_column and not self.previews:
            # Of an org without channels nobody can tell, and no session would be left.
            terms.append(f"{name}is_preview is not true")
        return " and ".join(terms), values

    def with_previews(self) -> Scope:
        """The same with previews: finders show them, and mark them."""
        return Scope(self.since, self.until, self.agent, previews=True)

    def days(self) -> str:
        """Its days as people read them."""
        if self.since is None and self.until is None:
            return "all session days"
        return f"session days from {self.since or 'the first'} until {self.until or 'the last'}"


def session_key(given: str) -> str:
    """The key of a session as the marts hold it, from what a person pasted: no blanks, no quotation marks.

    Raises:
        ArgumentError: nothing is left of it.
    """
    key = given.strip().strip('"').strip()
    if not key:
        raise ArgumentError(
            "The key of a session is asked for, and the one given is empty.",
            action="Take a session_id from stdm find or stdm find-failed.",
        )
    return key
