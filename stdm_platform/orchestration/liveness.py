"""Whether the process of a run is alive, told by a kernel lock.

Belongs here: the lock of a run, and ending runs whose process is gone. Does not: asking again for what
they left; that is due, so the next tick does.

Dagster's default launcher cannot tell: a run whose code server was killed with it (kill -9, a reboot)
stays "started" for ever, and its days would wait for it as long. So each run holds a lock in the data
directory, which the kernel frees however the process ends. A run without a lock file is left to
Dagster's run monitoring: it has not come that far yet, or works elsewhere.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg

from stdm_platform.lake.folders import Folders
from stdm_platform.lake.locking import Locks

YOUNG_SECONDS = 30.0
"""A lock file younger than that is not looked at: its run may be about to lock it."""
GONE = (
    "The process of this run is gone: it was killed, or the machine went down. What it had finished "
    "is held, and the rest is still due."
)


@contextmanager
def alive(data_dir: Path, run_id: str) -> Iterator[None]:
    """Hold the lock of a run; where another process of the same run has it, that one is enough."""
    folder = _folder(data_dir)
    with ExitStack() as stack:
        for _ in range(5):  # somebody may be looking just now
            if stack.enter_context(Locks(folder).hold(run_id, wait=False)):
                stack.callback(_file(folder, run_id).unlink, missing_ok=True)
                break
            time.sleep(0.05)
        yield


_until_the_end = ExitStack()
_shown: tuple[Path, str] | None = None


def show_alive(data_dir: Path, run_id: str) -> None:
    """Hold the lock of a run from its first step until this process ends, or works on another run."""
    global _shown  # a lock of the process is a fact about the process
    if _shown == (data_dir, run_id):
        return
    _until_the_end.close()
    _until_the_end.enter_context(alive(data_dir, run_id))
    _shown = data_dir, run_id


atexit.register(_until_the_end.close)


def is_gone(data_dir: Path, run_id: str) -> bool:
    """Whether the process that held the lock of this run has ended without saying so."""
    folder = _folder(data_dir)
    try:
        # the real clock, whatever `now` is: file times are of it
        age = time.time() - _file(folder, run_id).stat().st_mtime
    except OSError:
        return False
    if age < YOUNG_SECONDS:
        return False
    with Locks(folder).hold(run_id, wait=False) as free:
        if free:
            _file(folder, run_id).unlink(missing_ok=True)
    return free


def end_runs_that_are_gone(instance: dg.DagsterInstance, data_dir: Path) -> list[str]:
    """Report each started run whose process is gone as failed; gives a sentence for each."""
    if not _folder(data_dir).is_dir():
        return []
    found = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        if is_gone(data_dir, run.run_id):
            instance.report_run_failed(run, GONE)
            found.append(f"Run {run.run_id[:8]} is ended: its process is gone.")
    return found


def _folder(data_dir: Path) -> Path:
    return Folders(data_dir).locks / "runs"


def _file(folder: Path, run_id: str) -> Path:
    return folder / f"{run_id}.lock"
