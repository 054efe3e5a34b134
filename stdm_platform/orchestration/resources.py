"""The resources that assets use: the org, the lake, and the one DuckDB warehouse.

Belongs here: Dagster's handles on the rooms below. Does not: secrets; they stay in the environment
and are read when a step starts, so that no run config and no GraphQL answer can hold one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from stdm_platform.data360 import Connection, Data360
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform.settings import Settings, load_settings


class Platform(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The settings of the environment, and what they open. Holds no configuration of its own."""

    def settings(self) -> Settings:
        """The settings, read anew."""
        return load_settings()

    def now(self) -> datetime:
        """The clock of the plan and of the evidence, in UTC."""
        return datetime.now(UTC)

    def lake(self) -> Lake:
        """The lake of `STDM_DATA_DIR`."""
        return Lake(self.settings().absolute_data_dir())

    def org(self) -> Data360:
        """A client of the org; close it, or use it as a context manager."""
        return Data360(Connection.from_settings(self.settings()))


class Warehouse(DuckDBResource):
    """The private DuckDB file that dbt builds in: one writer at a time, dbt's subprocess included.

    Unlike its base it closes the file after an exception, and it holds the kernel lock of the
    data directory while the file is open, which frees itself when its holder is killed.
    """

    @property
    def store(self) -> MartStore:
        """The marts of the same data directory."""
        return MartStore(Path(self.database).parent)

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An exclusive connection, closed whatever happens."""
        with (
            self.store.lock(),
            duckdb.connect(self.database, config=self.connection_config) as connection,
        ):
            yield connection


def warehouse(settings: Settings) -> Warehouse:
    """The warehouse of these settings' data directory."""
    store = MartStore(settings.absolute_data_dir())
    return Warehouse(
        database=str(store.warehouse_path),
        connection_config={"memory_limit": settings.duckdb_memory_limit},
    )
