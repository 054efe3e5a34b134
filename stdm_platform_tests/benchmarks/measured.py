"""One command as a process of its own: seconds, CPU seconds, the peak memory of each process it starts.

Belongs here: running and watching (Linux: /proc). Does not: which commands, what their figures mean.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stdm_platform_tests.orchestration.processes import members

PAUSE_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 2**20
KIB = 2**10


LAUNCH = """
import json, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as told:
    json.dump({"cpu": used.ru_utime + used.ru_stime, "kib": used.ru_maxrss}, told)
sys.exit(code if code >= 0 else 128 - code)
"""
"""A small parent: the kernel counts what a process held before `exec`, its parent's memory, as its own."""


class CommandFailedError(Exception):
    """A measured command ended with another code than 0; the message is the end of what it said."""


@dataclass
class Measure:
    """What one run took. Bytes are bytes, memory too; `peaks` is by what each process runs.

    `kernel_peak` is the kernel's own figure, which falls between no two looks: the largest of the
    process and of all that it has waited for.
    """

    seconds: float
    cpu_seconds: float
    kernel_peak: int
    peaks: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    server_cpu_seconds: float = 0.0
    said: str = field(default="", repr=False)

    @property
    def peak(self) -> int:
        """The most memory that any one of the processes held."""
        return max(self.kernel_peak, *self.peaks.values(), 0)

    def figures(self) -> dict[str, Any]:
        """All of it but what was said, for JSON."""
        found = asdict(self)
        del found["said"]
        return {**found, "peak": self.peak}


def run(command: Sequence[str], variables: Mapping[str, str], log: Path) -> Measure:
    """Run a command in a session of its own until it ends; what it prints goes to the log.

    Raises:
        CommandFailedError: it did not end with 0.
    """
    told = log.with_suffix(".json")
    words = [sys.executable, "-I", "-S", "-c", LAUNCH, str(told), *command]
    begun = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            words, env=dict(variables), stdout=said, stderr=said, start_new_session=True
        )
        looks = _Looks(process.pid)
        with looks:
            code = process.wait()
    seconds = time.monotonic() - begun
    text = log.read_text(errors="replace")
    if code:
        raise CommandFailedError(f"{' '.join(command[:4])} …: {text[-2000:]}")
    used = json.loads(told.read_text())
    return Measure(
        seconds=seconds,
        cpu_seconds=used["cpu"],
        kernel_peak=used["kib"] * KIB,
        peaks=looks.peaks,
        said=text,
    )


class _Looks:
    """The largest VmHWM of each process of a session, while it is watched."""

    def __init__(self, session: int) -> None:
        self.peaks: dict[str, int] = {}
        self._session = session
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            for pid in set(members(self._session)) - {self._session}:
                name, peak = _look(pid)
                self.peaks[name] = max(self.peaks.get(name, 0), peak)


def _look(pid: int) -> tuple[str, int]:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        fields = Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()
    except OSError:
        return "", 0
    return _named(words), int(fields[0]) * KIB if fields else 0


def _named(words: Sequence[str]) -> str:
    """A process by what it runs: `stdm`, `dbt`, or the module of a `python -m`."""
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].rpartition(".")[2]
    shown = [Path(word).name for word in words if word and not word.startswith("-")]
    is_python = bool(shown) and shown[0].startswith("python")
    return "".join(shown[1:2] if is_python else shown[:1])[:20]


def cpu_seconds_of(pid: int) -> float:
    """User and system time of a living process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_of(pid: int) -> int:
    """The most memory that a living process has held, bytes."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) * KIB


def bytes_under(folder: Path) -> int:
    """The size of all Parquet files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))
