"""What each DuckDB of a build may take of the machine: memory, threads, room on the disk.

Belongs here: the settings of every DuckDB that a build starts, dbt's included. Does not: what it is asked.

What does not fit into the memory is written to `spill/` of the data directory and read again, so a build
larger than the memory is slower and no more: on 2 cores the marts of 10 million records, 6 million of them
steps, are built with 750 MB.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import duckdb

from stdm_platform.marts.store import MartStore
from stdm_platform.settings import Settings

BYTES_OF_THREAD = 250_000_000
"""Memory that a thread needs to sort and join beside the others; with less of it DuckDB gives up."""

MOST_TO_EXPORT = "500MB"
"""Memory for sorting what is published. The process that does it has extracted before and holds memory of
its own: with the limit of builds it took 1.43 GiB for 3 million records."""

UNITS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BINARY_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def engine_config(store: MartStore, settings: Settings | None = None) -> dict[str, str]:
    """Settings of DuckDB by their names; those of `Settings` by default.

    The order of insertion is not kept: it costs memory, and every published file is sorted.
    """
    memory = memory_limit(settings)
    return {
        "memory_limit": memory,
        "threads": str(threads_for(memory, os.cpu_count() or 1)),
        "temp_directory": str(spill_folder(store)),
        "preserve_insertion_order": "false",
    }


def connect_to_warehouse(
    store: MartStore, settings: Settings | None = None, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """The warehouse of the build, within its memory and in UTC; the caller closes it."""
    config: dict[str, str | bool | int | float | list[str]] = {**engine_config(store, settings)}
    warehouse = duckdb.connect(str(store.warehouse_path), read_only=read_only, config=config)
    warehouse.execute("set timezone = 'UTC'")
    return warehouse


def memory_limit(settings: Settings | None) -> str:
    """`STDM_DUCKDB_MEMORY_LIMIT`, or what it is when nobody says."""
    if settings is not None:
        return settings.duckdb_memory_limit
    return str(Settings.model_fields["duckdb_memory_limit"].default)


def export_memory(settings: Settings | None) -> str:
    """What sorting the published files may take: no more than a build, and not all of it."""
    return min(memory_limit(settings), MOST_TO_EXPORT, key=_bytes)


def spill_folder(store: MartStore) -> Path:
    """Where DuckDB puts what does not fit into its memory."""
    return store.data_dir / "spill"


def threads_for(memory: str, cores: int) -> int:
    """As many threads as there are cores, and fewer where the memory would not do for so many."""
    return max(1, min(cores, _bytes(memory) // BYTES_OF_THREAD))


def _bytes(memory: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(I?)B|%)", memory.strip().upper())
    if match is None:
        raise ValueError(memory)
    number, unit, binary = float(match[1]), match[2], match[3]
    if unit is None:
        return int(number / 100 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return int(number * (BINARY_UNITS if binary else UNITS)[unit])
