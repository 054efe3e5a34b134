"""A disk that can be watched, that crashes, fills up, or loses what was not synced.

Every change is seen where it reaches the operating system (`os`, `open`, Arrow's writer, the exchange
of folders), so nothing that bypasses `lake/files.py` escapes.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pyarrow.parquet as pq
import pytest

from stdm_platform.lake import files

ONE_PATH = ("mkdir", "unlink", "remove", "rmdir", "chmod", "utime", "truncate", "fsync")
TWO_PATHS = ("rename", "replace", "link", "symlink")
PARQUET = ("__init__", "write_table", "add_key_value_metadata", "close")
NEED_SPACE = {
    "mkdir",
    "open",
    "link",
    "symlink",
    "parquet write_table",
    "parquet close",
    "fsync",
    "sync_tree",
}
NO_DATA = ("/locks/",)
"""Lock files hold nothing; that one is made changes nothing for anyone."""


class CrashError(BaseException):
    """The process is gone: not an Exception, so nothing in the code can catch it."""


@dataclass
class Disk:
    """Counts the changes below a folder and does something about one of them.

    From `crash_at` on none takes place any more; from `full_at` on none that needs space.
    `after_each` is told the name and the place of each that took place.
    """

    root: Path
    crash_at: int | None = None
    full_at: int | None = None
    after_each: Callable[[str, str], None] | None = None
    trace: list[str] = field(default_factory=list)
    writers: WeakSet[pq.ParquetWriter] = field(default_factory=WeakSet)

    def change(self, name: str, path: str, act: Callable[[], Any]) -> Any:
        """Let a change happen, or not."""
        is_ours = path == str(self.root) or path.startswith(f"{self.root}/")
        if not is_ours or any(each in path for each in NO_DATA):
            return act()
        index = len(self.trace)
        self.trace.append(f"{name} {path.removeprefix(f'{self.root}/')}")
        if self.crash_at is not None and index >= self.crash_at:
            raise CrashError(self.trace[-1])
        if self.full_at is not None and index >= self.full_at and name in NEED_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        result = act()
        if self.after_each is not None:
            self.after_each(name, path)
        return result


@contextmanager
def watched(disk: Disk) -> Iterator[Disk]:
    """See every change while the block runs, in any thread."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (*ONE_PATH, *TWO_PATHS):
            patch.setattr(os, name, _call(disk, name, getattr(os, name)))
        for name in ("exchange", "sync_tree"):
            patch.setattr(files, name, _call(disk, name, getattr(files, name)))
        patch.setattr(os, "open", _os_open(disk, os.open))
        for module in (io, builtins):
            patch.setattr(module, "open", _open(disk, open))
        for name in PARQUET:
            act = getattr(pq.ParquetWriter, name)
            patch.setattr(pq.ParquetWriter, name, _writer(disk, name, act))
        yield disk


def _call(disk: Disk, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **options: Any) -> Any:
        what = given[1] if name in TWO_PATHS else given[0]
        return disk.change(name, _path(what, options.get("dir_fd")), lambda: act(*given, **options))

    return call


def _os_open(disk: Disk, act: Callable[..., int]) -> Callable[..., Any]:
    def call(path: Any, flags: int, *given: Any, **options: Any) -> Any:
        if not flags & os.O_CREAT:
            return act(path, flags, *given, **options)
        return disk.change("open", _path(path, None), lambda: act(path, flags, *given, **options))

    return call


def _open(disk: Disk, act: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any, mode: str = "r", *given: Any, **options: Any) -> Any:
        if isinstance(path, int) or not set(mode) & set("wax+"):
            return act(path, mode, *given, **options)
        return disk.change("open", _path(path, None), lambda: act(path, mode, *given, **options))

    return call


def _writer(disk: Disk, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def call(writer: Any, *given: Any, **options: Any) -> Any:
        if name == "__init__":
            writer.its_path = _path(given[0], None)
            disk.writers.add(writer)
        elif name == "close" and not getattr(writer, "is_open", False):
            return act(writer, *given, **options)
        try:
            path = writer.its_path
            return disk.change(f"parquet {name}", path, lambda: act(writer, *given, **options))
        except BaseException:
            for each in disk.writers:
                each.is_open = False  # else it closes itself once more when it is collected
            raise

    return call


def _path(what: Any, folder: int | None) -> str:
    """The place of a path, of an open file, or of a name in an open folder."""
    if isinstance(what, int):
        return str(Path(f"/proc/self/fd/{what}").readlink())
    text = os.fsdecode(what)
    return text if folder is None else str(Path(f"/proc/self/fd/{folder}").readlink() / text)


@dataclass
class Durable:
    """What of a folder is sure to be there after a loss of power: what was synced, and no more.

    Files are known by their inode: a folder in memory never uses one again.
    """

    root: Path
    names: dict[int, dict[str, tuple[int, str, bool]]] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """All that is there at the beginning was synced."""
        self.sync_tree(str(self.root))

    def sync_tree(self, path: str) -> None:
        """Take in all that is below a folder."""
        for folder, _, held in os.walk(path):
            for name in held:
                if not (found := Path(folder, name)).is_symlink():
                    self.sync(str(found))
            self.sync(folder)

    def sync(self, path: str) -> None:
        """Take in a file's content, or the names in a folder."""
        if not Path(path).is_dir():
            self.contents[Path(path).stat().st_ino] = Path(path).read_bytes()
            return
        with os.scandir(path) as entries:
            self.names[Path(path).stat().st_ino] = {each.name: _entry(each) for each in entries}

    def at_least(self, target: Path) -> Path:
        """Make what is left when nothing that was not synced has reached the disk."""
        self._make(self.root.stat().st_ino, target)
        return target

    def at_most(self, target: Path) -> Path:
        """Make what is left when every name has reached the disk, and no content that was not synced."""
        for folder, _, _ in os.walk(self.root):
            made = target / Path(folder).relative_to(self.root)
            made.mkdir(parents=True, exist_ok=True)
            for path in Path(folder).iterdir():
                if path.is_symlink():
                    (made / path.name).symlink_to(path.readlink())
                elif path.is_file():
                    content = self.contents.get(path.stat().st_ino, b"")
                    (made / path.name).write_bytes(content)
        return target

    def with_only(self, target: Path, *paths: str) -> Path:
        """As `at_least`, and of the names that were not synced these alone have reached the disk."""
        before = dict(self.names)
        for path in map(Path, paths):
            folder = path.parent.stat().st_ino
            changed = dict(self.names.get(folder, {}))
            with os.scandir(path.parent) as entries:
                changed.update({e.name: _entry(e) for e in entries if e.name == path.name})
            self.names[folder] = changed
        self.at_least(target)
        self.names = before
        return target

    def doubled(self) -> list[str]:
        """Folders with two names: a rename of which one side was synced and the other was not."""
        seen: dict[int, str] = {}
        found = []
        for names in self.names.values():
            for name, (inode, _, is_folder) in names.items():
                if is_folder and inode in seen:
                    found.append(f"{seen[inode]} is {name}")
                seen[inode] = name
        return found

    def _make(self, folder: int, target: Path) -> None:
        target.mkdir()
        for name, (inode, link, is_folder) in self.names.get(folder, {}).items():
            if link:
                (target / name).symlink_to(link)
            elif is_folder:
                self._make(inode, target / name)
            else:
                (target / name).write_bytes(self.contents.get(inode, b""))


def _entry(entry: os.DirEntry[str]) -> tuple[int, str, bool]:
    link = str(Path(entry.path).readlink()) if entry.is_symlink() else ""
    return entry.inode(), link, entry.is_dir(follow_symlinks=False)
