"""What the lake asks for before rows become visible: that a contract has seen every one of them.

Belongs here: `Proof`, and holding it against what was written. Does not: contracts. The guard stands
above this room and alone makes proofs (`guard.Verdict`), so no writer can publish without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from stdm_platform.errors import LakeError
from stdm_platform.lake.window import Window


class Proof(Protocol):
    """A contract's word on the rows of one window, or of one DMO of whole sessions.

    `rows` are all that were served, `quarantined` those of them that are kept aside, by reason.
    """

    @property
    def dmo(self) -> str:
        """The DMO."""

    @property
    def window(self) -> Window | None:
        """The window; None for whole sessions."""

    @property
    def rows(self) -> int:
        """Rows served, those kept aside included."""

    @property
    def passed(self) -> bool:
        """Whether the rows may become visible."""

    @property
    def quarantined(self) -> Mapping[str, int]:
        """Reason → rows kept aside for it; each row has one reason."""


def refuse_unproven(
    proof: Proof | None, name: str, window: Window | None, *, written: int, aside: int
) -> None:
    """Every row that was served passed, or was kept aside, and was written once.

    Args:
        proof: the contract's word; None when no contract was asked.
        name: the DMO of the rows.
        window: their window; None for whole sessions.
        written: rows in the file that is to become visible.
        aside: rows in its quarantine file.

    Raises:
        LakeError: no contract let just these rows pass.
    """
    if proof is None:
        raise LakeError(
            "No contract has seen these rows.", action="Write them by way of `guard.Gate`."
        )
    if not proof.passed or (proof.dmo, proof.window) != (name, window):
        raise LakeError(
            f"The contract did not let {name} {window or ''} pass.",
            action="Only windows that passed are published; refuse the others.",
        )
    kept_aside = sum(proof.quarantined.values())
    if (proof.rows, kept_aside) != (written + aside, aside):
        raise LakeError(
            f"The contract has seen {proof.rows} rows, {kept_aside} of them to be kept aside; "
            f"{written} were written and {aside} kept aside.",
            action="Extract the day again.",
        )
