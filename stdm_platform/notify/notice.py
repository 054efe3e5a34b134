"""What is said.

Belongs here: `Notice`, its sentence and its JSON, and what is masked in it. Does not: sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import SecretStr

from stdm_platform.data360.masking import Masker
from stdm_platform.settings import Settings

LONGEST_REASON = 2_000
NAMED = 3
"""Assets and partitions that the sentence names; the JSON has all of them."""


@dataclass(frozen=True)
class Notice:
    """One thing that people should know.

    `assets` are keys such as `stdm/sessions`; `partitions` are UTC days, oldest first; `at` is an
    aware instant. `reason` names objects, days, counts and the next action: never a secret, and no
    text of a conversation.
    """

    event: Literal["run_failed", "late", "recovered", "drift"]
    severity: Literal["error", "warning", "info"]
    at: datetime
    reason: str
    assets: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    run_id: str | None = None

    @property
    def asset(self) -> str:
        """The asset, or the first ones of several."""
        return _some(self.assets, ", ")

    @property
    def text(self) -> str:
        """One line for a chat: severity, place, reason, run."""
        place = self.asset or "stdm_daily"
        if len(self.partitions) > NAMED:
            place += f" of {self.partitions[0]} to {self.partitions[-1]}"
            place += f" ({len(self.partitions)} days)"
        elif self.partitions:
            place += f" of {', '.join(self.partitions)}"
        run = f" (run {self.run_id[:8]})" if self.run_id else ""
        return f"[{self.severity}] {place}: {self.reason}{run}"

    def as_json(self) -> dict[str, Any]:
        """All fields; `at` in ISO 8601 with `Z`, `text` for receivers that show nothing else."""
        at = self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "event": self.event,
            "severity": self.severity,
            "at": at,
            "asset": self.asset,
            "assets": list(self.assets),
            "partitions": list(self.partitions),
            "reason": self.reason,
            "run_id": self.run_id,
            "text": self.text,
        }

    def masked(self, masker: Masker) -> Notice:
        """The same with every secret that the masker knows cut out of the reason, in one line."""
        # Literals stay: errors of ours hold none of a row, and a quote may be an apostrophe.
        reason = masker.line(self.reason, keep_literals=True, longest=LONGEST_REASON)
        return replace(self, reason=reason)


def masker_of(settings: Settings) -> Masker:
    """A masker that knows every secret of the settings."""
    values = [value for _, value in settings if isinstance(value, SecretStr)]
    return Masker(*(value.get_secret_value() for value in values))


def _some(names: Sequence[str], separator: str) -> str:
    more = len(names) - NAMED
    return separator.join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
