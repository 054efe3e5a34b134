"""An org with one day of very many rows, served by the sandbox in a process of its own.

Belongs here: making the rows once and serving them. Does not: how rows are made (`volume_rows.py`), asking
the org.

    with volume_org(folder, records=1_000_000) as org:
        subprocess.run(["stdm", "extract", "--since", str(DAY), …], env={**os.environ, **org.variables(data)})

`python -m stdm_platform_tests.benchmarks.volume_org --records 1000000 --folder /tmp/volume` serves one until
Ctrl-C and prints the variables that lead to it. Rows are made once for each size and seed in a folder.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform_tests.benchmarks import volume_rows, volume_texts
from stdm_platform_tests.benchmarks.volume_rows import write_volume_rows

DAY = date(2026, 1, 14)
"""The UTC day that holds all rows."""

MEMORY = "512MB"
"""What the org's engine may hold: less than a day, so that size does not decide how it serves."""


@dataclass(frozen=True)
class VolumeOrg:
    """A running org, and how many rows of each DMO it has on `DAY`."""

    handle: SandboxHandle
    rows: dict[str, int]

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self.handle.process.pid

    def variables(self, data_dir: Path, **more: str) -> dict[str, str]:
        """The environment in which the command reads this org into a data directory."""
        return {**self.handle.env, "STDM_DATA_DIR": str(data_dir), **more}


@contextmanager
def volume_org(
    folder: Path,
    *,
    records: int,
    seed: int = 1,
    chunk_rows: int = 100_000,
    chunk_bytes: int = 16_000_000,
) -> Iterator[VolumeOrg]:
    """An org with `records` rows (a session more at most) while the block runs.

    Its rows stay in the folder, and the next org of the same size and seed there serves them again.
    """
    path, rows = volume_file(folder, records=records, seed=seed)
    with served(path, rows, chunk_rows=chunk_rows, chunk_bytes=chunk_bytes) as org:
        yield org


@contextmanager
def served(
    path: Path, rows: dict[str, int], *, chunk_rows: int = 100_000, chunk_bytes: int = 16_000_000
) -> Iterator[VolumeOrg]:
    """An org that serves the rows of a file while the block runs."""
    options = SandboxOptions(
        path.with_suffix(".org"),
        rows=path,
        end=DAY,
        memory=MEMORY,
        chunk_rows=chunk_rows,
        chunk_bytes=chunk_bytes,
    )
    with running(options) as handle:
        yield VolumeOrg(handle, rows)


def volume_file(folder: Path, *, records: int, seed: int = 1) -> tuple[Path, dict[str, int]]:
    """The file with the rows of this size and seed, made unless it is there, and its counts."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{records}-{seed}.duckdb"
    counts = path.with_suffix(".json")
    made_by = [Path(each.__file__).read_text() for each in (volume_rows, volume_texts)]
    with suppress(FileNotFoundError, ValueError):
        kept = json.loads(counts.read_text())
        if kept["made_by"] == made_by and path.exists():
            return path, dict(kept["rows"])
    counts.unlink(missing_ok=True)
    rows = write_volume_rows(path, day=DAY, records=records, seed=seed)
    counts.write_text(json.dumps({"rows": rows, "made_by": made_by}))
    return path, rows


def main() -> None:
    """Serve one until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="volume_org", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True, help="where its rows are kept")
    wanted = parser.parse_args()
    with volume_org(wanted.folder, records=wanted.records, seed=wanted.seed) as org:
        for name, value in org.handle.env.items():
            print(f"export {name}={shlex.quote(value)}")
        print(f"# {DAY}: {org.rows}, process {org.pid}", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
