"""The progress bar of long work.

Belongs here: one look for all commands. Does not: what is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stdm_platform.cli.output import errors_console


class Advance(Protocol):
    """What to call when something is done."""

    def __call__(self, done: int = 1, *, place: str | None = None) -> None:
        """`done` more of the total; `place` says what was done last."""


def new_progress() -> Progress:
    """A bar on stderr that is gone when it ends: description, bar, `3/12`, time."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors_console(),
        transient=True,
    )


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Advance]:
    """A bar while the block runs; gives what to call with what is done."""
    with new_progress() as progress:
        task = progress.add_task(title, total=total)

        def advance(done: int = 1, *, place: str | None = None) -> None:
            progress.update(task, advance=done, description=place)

        yield advance
