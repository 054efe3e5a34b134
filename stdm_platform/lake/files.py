"""The file operations that the lake stands on, each a named function.

Belongs here: every call that changes the disk or takes a lock. Does not: the order of the calls.

Other modules call these through the module (`files.exchange(...)`), so that a fault battery can
replace each of them and crash before or after it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stdm_platform.errors import LakeError

AT_FDCWD = -100
SWAP = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS
NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP}
NO_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
PRIVATE = 0o700
DRAFT_SECONDS = 3600

_libc = ctypes.CDLL(None, use_errno=True)


def make_private_folder(path: Path) -> None:
    """Make the data directory readable by its owner only, if it is new or empty.

    A directory that already holds something keeps the mode its owner gave it.
    """
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True, mode=PRIVATE)
        sync_folder(path.parent)
    status = path.stat()
    if status.st_mode & 0o077 and status.st_uid == os.getuid() and not any(path.iterdir()):
        path.chmod(PRIVATE)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, and make the new names last."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def move(source: Path, target: Path) -> None:
    """Give a file or folder another name, in one step."""
    source.rename(target)


def link(name: str, folder_fd: int, target: Path) -> bool:
    """Give a file of an open folder a second name; copy it where hard links cannot reach.

    Returns whether it is a link. The folder is an open descriptor, so that it stays the same
    folder while its name is exchanged.
    """
    try:
        os.link(name, target, src_dir_fd=folder_fd)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _copy(name, folder_fd, target)
        return False
    return True


def exchange(first: Path, second: Path) -> None:
    """Let two folders change names in one step: nobody ever sees neither or half."""
    names = (os.fsencode(first), os.fsencode(second))
    try:
        if sys.platform == "darwin":
            failed = _libc.renamex_np(*names, SWAP)
        else:
            failed = _libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], SWAP)
        number = ctypes.get_errno() if failed else 0
    except AttributeError:  # a C library without the call
        number = errno.ENOSYS
    if number in NO_EXCHANGE:
        raise LakeError(
            f"The file system of {first} cannot exchange folders.",
            action="Put the data directory on a local disk (ext4, xfs, btrfs, apfs).",
        )
    if number:
        raise OSError(number, os.strerror(number), str(first), None, str(second))


def sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(path: Path) -> None:
    """Wait until all that is below a folder is on the disk, its names and its content.

    On Linux that is one call for the whole file system: a wait for each of the thousands of folders
    of a generation of marts takes seconds.
    """
    if hasattr(_libc, "syncfs"):
        with opened_folder(path) as descriptor:
            if _libc.syncfs(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(path))
        return
    for folder, _, names in os.walk(path):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))


def write_file(path: Path, content: bytes) -> None:
    """Write a whole small file that is there entirely or not at all."""
    _remove_old_drafts(path)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        draft.write_bytes(content)
        sync_file(draft)
        move(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _remove_old_drafts(path: Path) -> None:
    """Remove what killed writers of this file left; a young draft may be of one that lives."""
    for draft in path.parent.glob(f".{path.name}.*"):
        with suppress(OSError):
            # the real clock, whatever `now` is: file times are of it, and no row depends on it
            if time.time() - draft.stat().st_mtime > DRAFT_SECONDS:
                draft.unlink()


def remove_file(path: Path) -> None:
    """Remove a file; one that is gone already is fine."""
    path.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it; one that is gone already is fine."""
    while path.exists():
        with suppress(FileNotFoundError):  # another may remove it at the same time
            shutil.rmtree(path)


@contextmanager
def opened_folder(path: Path) -> Iterator[int]:
    """An open descriptor of a folder: it pins the folder across exchanges of its name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def names_in(folder_fd: int) -> list[str]:
    """The names in an open folder."""
    return os.listdir(folder_fd)


def is_named(path: Path, folder_fd: int) -> bool:
    """Whether the path still names the folder of that descriptor."""
    try:
        return os.path.samestat(path.stat(), os.fstat(folder_fd))
    except FileNotFoundError:
        return False


def lock(descriptor: int, *, wait: bool = True) -> bool:
    """Take the kernel's lock on an open file or folder; freed by the kernel on any death.

    Returns False when another holds it and `wait` is false.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _copy(name: str, folder_fd: int, target: Path) -> None:
    source = os.open(name, os.O_RDONLY, dir_fd=folder_fd)
    with os.fdopen(source, "rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, 1024 * 1024)
    sync_file(target)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        if sys.platform == "darwin":  # fsync alone stops at the drive's cache there
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
