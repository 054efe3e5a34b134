"""A process that dies in the middle, without a process: from one moment on nothing of it acts any more.

Belongs here: dying. Does not: dying by signal (`benchmarks`, `faults/kills.py`), which costs the start
of a process each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from stdm_platform.lake import files

ACTS = (
    "make_folder", "make_private_folder", "move", "link", "exchange", "sync_file", "sync_folder",
    "write_file", "remove_tree",
)  # fmt: skip
"""All that a process does to the disk; locks are the kernel's, which frees them."""


class DiedError(BaseException):
    """The process is gone: not an Exception, so nothing in the code can catch it."""


@dataclass
class Mortal:
    """Counts acts of the process; from act number `dies_at` on there is none."""

    acts: int = 0
    dies_at: int | None = None

    def act(self) -> None:
        self.acts += 1
        if self.dies_at is not None and self.acts >= self.dies_at:
            raise DiedError

    @contextmanager
    def dying(self, after: int) -> Iterator[None]:
        """The process that acts in here dies after so many acts, if it gets that far."""
        self.dies_at = self.acts + after
        try:
            yield
        except DiedError:
            pass
        finally:
            self.dies_at = None

    def wrapped(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **options: Any) -> Any:
            self.act()
            return operation(*arguments, **options)

        return acting


@contextmanager
def mortal_process() -> Iterator[Mortal]:
    """Watches all file operations of the lake."""
    mortal = Mortal()
    with pytest.MonkeyPatch.context() as patch:
        for name in ACTS:
            patch.setattr(files, name, mortal.wrapped(getattr(files, name)))
        yield mortal
