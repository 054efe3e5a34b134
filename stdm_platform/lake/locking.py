"""Locks by name, and folders that live as long as the process that made them.

Belongs here: who may change what at a time. Does not: what is changed.

All locks are kernel locks on side files outside `lake/`, so a killed process never leaves one.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stdm_platform.lake import files


class Locks:
    """The lock files of one folder. A thread that holds a lock may take it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._of_thread = threading.local()

    @contextmanager
    def hold(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold the lock of that name; gives False when another has it and `wait` is false."""
        held: set[str] = self._of_thread.__dict__.setdefault("held", set())
        if name in held:
            yield True
            return
        files.make_folder(self._folder)
        descriptor = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            taken = files.lock(descriptor, wait=wait)
            if taken:
                held.add(name)
            yield taken
        finally:
            held.discard(name)
            os.close(descriptor)


class OwnedFolder:
    """A folder with a name of its own, locked as long as its maker lives."""

    def __init__(self, parent: Path, locks: Locks) -> None:
        self.path = parent / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        # The gate keeps a sweep from seeing the folder between its making and its lock.
        with locks.hold(_gate(parent)):
            files.make_folder(self.path)
            self._descriptor: int | None = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            files.lock(self._descriptor)

    def remove(self) -> None:
        """Remove it with all that is in it. Does nothing the second time."""
        if self._descriptor is None:
            return
        try:
            files.remove_tree(self.path)
        finally:
            os.close(self._descriptor)
            self._descriptor = None


def sweep(parent: Path, locks: Locks) -> list[Path]:
    """Remove the owned folders whose makers are dead; never touches one of a living process."""
    if not parent.is_dir():
        return []
    removed = []
    with locks.hold(_gate(parent)):
        for folder in sorted(path for path in parent.iterdir() if path.is_dir()):
            with suppress(FileNotFoundError), files.opened_folder(folder) as descriptor:
                if files.lock(
                    descriptor, wait=False
                ):  # else its maker lives, or removed it just now
                    files.remove_tree(folder)
                    removed.append(folder)
    return removed


def _gate(parent: Path) -> str:
    return f"_{parent.name}"
