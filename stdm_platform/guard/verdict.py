"""What a contract found in one window, and the words for it.

Belongs here: `Failure`, `Verdict` and their sentences. Does not: finding anything (`contract.py`).
Counts, source columns and keys only: a value of a row never stands here, except the unseen values
of a vocabulary, and figures that were served as an instant or a number and are none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stdm_platform.lake import Window

SAMPLE_KEYS = 10
"""Keys shown per failure: enough to look rows up, few enough to read."""

MEANINGS: Mapping[str, tuple[str, str]] = {
    "column_type": (
        "{count} rows were served with another type",
        "Look at the object in Data 360 (Data Model tab); if the change is meant, correct the "
        "column's type in the catalog.",
    ),
    "not_null": (
        "{count} rows have no value",
        "Look the rows up by key in Data 360; mend the stream that writes them, then extract "
        "{ground} again.",
    ),
    "unique_key": (
        "{count} surplus rows repeat a key that {ground} already has",
        "Extract {whole} again; if it stays, two streams write the same rows: mend them.",
    ),
    "clock_in_window": (
        "{count} rows have a time outside the window that was asked for",
        "The org's answer does not fit the question: extract {ground} again, and report it if it "
        "stays.",
    ),
    "undecodable": (
        "{count} rows have a value that cannot be read as the column's type",
        "Look the rows up by key in Data 360 and mend them, then extract {ground} again.",
    ),
}
"""Per check: what was found, and the next action."""

WORDS_OF_DAY = {"ground": "the day", "whole": "the whole day"}
WORDS_OF_TREE = {"ground": "the session", "whole": "the session"}


@dataclass(frozen=True)
class Failure:
    """One check that one column failed: how many rows, and a sample of their keys.

    `column` is the source name, as the org spells it. `detail` holds types and counts, of a
    value that could not be read its figures or its length, and never its words. `shared` is how many of the rows repeat a key of another window of the day.
    """

    check: str
    column: str
    count: int
    keys: tuple[str, ...] = ()
    detail: str = ""
    shared: int = 0

    def describe(self, words: Mapping[str, str] = WORDS_OF_DAY) -> str:
        """What was found, as the second half of a sentence, without the next action."""
        found = MEANINGS[self.check][0].format(count=self.count, **words)
        text = f"{self.column}: {found} ({self.check})"
        text += f", {self.detail}" if self.detail else ""
        return text + (f", for example {', '.join(self.keys)}" if self.keys else "")

    @property
    def action(self) -> str:
        """The next thing to do."""
        return self.action_in(WORDS_OF_DAY)

    def action_in(self, words: Mapping[str, str]) -> str:
        """The next thing to do, in words for a day or for a session's tree."""
        return MEANINGS[self.check][1].format(**words)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: counts and keys only."""
        return {
            "check": self.check,
            "column": self.column,
            "count": self.count,
            "keys": list(self.keys),
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Verdict:
    """What the contract of one window found; without a window, of whole sessions.

    `rows` are all that were served; the lake gets those that are not `quarantined` (reason → rows,
    each row once). `set_aside` tells of these as failures are told: per check and column, with keys.
    `unseen` warns and never blocks: source column → value as served → rows.
    """

    dmo: str
    window: Window | None
    rows: int
    failures: tuple[Failure, ...] = ()
    unseen: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    set_aside: tuple[Failure, ...] = ()

    @property
    def quarantined_rows(self) -> int:
        """Rows kept aside."""
        return sum(self.quarantined.values())

    @property
    def place(self) -> str:
        """`sessions of 2026-01-14`, or `sessions of whole sessions`."""
        return f"{self.dmo} of {self.window.day.isoformat() if self.window else 'whole sessions'}"

    @property
    def passed(self) -> bool:
        """Whether the window may become visible."""
        return not self.failures

    @property
    def only_repeats_held(self) -> bool:
        """Whether all that is wrong are keys that other windows of the day hold.

        A clock that was rewritten moves its row to another window, so reading the windows together
        may show that nothing is wrong.
        """
        return bool(self.failures) and all(
            each.check == "unique_key" and each.shared == each.count for each in self.failures
        )

    @classmethod
    def of_odd_clock(cls, dmo: str, window: Window, rows: int, source: str, served: str) -> Verdict:
        """The verdict on a window that cannot be asked for, because its clock has another type."""
        failure = Failure("column_type", source, rows, detail=f"{served} instead of timestamp")
        return cls(dmo, window, rows, (failure,))

    @classmethod
    def of_day(cls, verdicts: Sequence[Verdict]) -> Verdict:
        """The verdicts of a day's windows as one."""
        first, last = verdicts[0], verdicts[-1]
        unseen: dict[str, Counter[str]] = {}
        for verdict in verdicts:
            for column, values in verdict.unseen.items():
                unseen.setdefault(column, Counter()).update(values)
        return cls(
            first.dmo,
            Window(first.window.start, last.window.end) if first.window and last.window else None,
            sum(verdict.rows for verdict in verdicts),
            tuple(failure for verdict in verdicts for failure in verdict.failures),
            {column: dict(values.most_common()) for column, values in unseen.items()},
            dict(sum((Counter(each.quarantined) for each in verdicts), Counter())),
            tuple(finding for verdict in verdicts for finding in verdict.set_aside),
        )

    def describe(self) -> str:
        """One line per failure, naming DMO, day, column, count and next action."""
        words = WORDS_OF_DAY if self.window else WORDS_OF_TREE
        if self.passed:
            kept = f"{self.place}: {self.rows - self.quarantined_rows} rows keep the contract."
            return "\n".join(filter(None, (kept, self.describe_quarantine())))
        return "\n".join(
            f"{self.place}: {each.describe(words)}. {each.action_in(words)}"
            for each in self.failures
        )

    def describe_quarantine(self) -> str:
        """One line per column that kept rows aside, with keys and next action; "" if there is none."""
        words = WORDS_OF_DAY if self.window else WORDS_OF_TREE
        return "\n".join(
            f"{self.place}: kept in quarantine: {each.describe(words)}. {each.action_in(words)}"
            for each in self.set_aside
        )

    def describe_unseen(self) -> str:
        """One line per column with values that the catalog's vocabulary lacks; "" if there is none."""
        return "\n".join(
            f"{self.place}: {column} has values that the catalog does not know: "
            + ", ".join(f"{value} ({rows})" for value, rows in values.items())
            + ". Add them to the vocabulary in the catalog if they are meant."
            for column, values in self.unseen.items()
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the file beside a refused window, and a check's metadata."""
        return {
            "dmo": self.dmo,
            "window": [self.window.start.isoformat(), self.window.end.isoformat()]
            if self.window
            else None,
            "rows": self.rows,
            "failures": [each.as_dict() for each in self.failures],
            "unseen": {column: dict(values) for column, values in self.unseen.items()},
            "quarantined": dict(self.quarantined),
        }
