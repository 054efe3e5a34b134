"""The benchmark's table: each run, each line of issue 5 with its figure, as text and as JSON.

Belongs here: how results are kept and shown. Does not: making them.
"""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from stdm_platform_tests.benchmarks.measured import MIB, Measure

LEAST_SHOWN = 50 * MIB
"""Processes smaller than this are not listed: helpers of the interpreter."""

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Line:
    """One promise, the figure that was seen, and whether it held; None where nothing is promised."""

    promise: str
    figure: str
    held: bool | None


@dataclass
class Report:
    """What one call of the command measured."""

    scale: str
    runs: list[tuple[str, str, Measure]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, what: str, way: str, measure: Measure) -> None:
        """Keep one run."""
        self.runs.append((what, way, measure))

    @property
    def exit_code(self) -> int:
        """1 if a promise did not hold."""
        return int(any(line.held is False for line in self.lines))

    def show(self, console: Console) -> None:
        """Print both tables."""
        table = Table(title=f"--scale {self.scale}, {_now():%Y-%m-%d}, {machine()['text']}")
        names = ("what", "way", "rows", "seconds", "rows/s", "CPU s", "server CPU s", "MB in",
                 "MB out", "peak MiB")  # fmt: skip
        for name in names:
            table.add_column(name, justify="left" if name in ("what", "way") else "right")
        for what, way, one in self.runs:
            table.add_row(
                what, way, f"{one.rows:,}", f"{one.seconds:.1f}", f"{one.rows / one.seconds:,.0f}",
                f"{one.cpu_seconds:.1f}", f"{one.server_cpu_seconds:.1f}", f"{one.bytes_in / 1e6:,.0f}",
                f"{one.bytes_out / 1e6:,.1f}", _peaks(one),
            )  # fmt: skip
        console.print(table)
        lines = Table(title="What it must show", show_lines=False)
        for name in ("line", "seen", ""):
            lines.add_column(name)
        for line in self.lines:
            said = {True: "held", False: "NOT HELD", None: "reported"}[line.held]
            lines.add_row(line.promise, line.figure, said)
        console.print(lines)

    def write(self, path: Path) -> None:
        """Write all of it as one JSON object."""
        found = {
            "scale": self.scale,
            "date": _now().isoformat(timespec="seconds"),
            "machine": machine(),
            "commit": commit(),
            **self.facts,
            "runs": [
                {"what": what, "way": way, **measure.figures()} for what, way, measure in self.runs
            ],
            "lines": [asdict(line) for line in self.lines],
        }
        path.write_text(json.dumps(found, indent=1) + "\n")


def _peaks(measure: Measure) -> str:
    """The peak of each process, the largest first; one figure if there was one of note."""
    known = {name: peak for name, peak in measure.peaks.items() if peak >= LEAST_SHOWN}
    if len(known) < 2:
        return f"{measure.peak / MIB:,.0f}"
    ordered = sorted(known.items(), key=lambda each: -each[1])
    return ", ".join(f"{name} {peak / MIB:,.0f}" for name, peak in ordered)


def machine() -> dict[str, Any]:
    """Cores, memory and processor of this machine, and a text of them."""
    processors = Path("/proc/cpuinfo").read_text()
    models = {
        line.partition(":")[2].strip()
        for line in processors.splitlines()
        if line.startswith("model name")
    }
    cores = processors.count("processor\t")
    gib = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    model = ", ".join(sorted(models)) or platform.machine()
    python = platform.python_version()
    text = f"{cores} cores ({model}), {gib:.0f} GiB, Python {python}"
    return {"cores": cores, "gib": round(gib, 1), "model": model, "python": python, "text": text}


def commit() -> str:
    """The commit that was measured, with a + when files differ from it; "" outside git."""
    words = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _now() -> datetime:
    return datetime.now(UTC)
