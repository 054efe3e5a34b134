"""Rows of a sandbox org that a test changes, and puts back for the tests that share the org."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stdm_platform.catalog import dmo
from stdm_platform.sandbox import SandboxHandle


@contextmanager
def changed_rows(org: SandboxHandle, *names: str) -> Iterator[None]:
    """Tables that the block may change; they are put back after it."""
    tables = [dmo(name).objects[0] for name in names]
    for table in tables:
        org.execute(f'CREATE OR REPLACE TABLE "kept_{table}" AS FROM "{table}"')
    try:
        yield
    finally:
        for table in tables:
            org.execute(f'DELETE FROM "{table}"')
            org.execute(f'INSERT INTO "{table}" FROM "kept_{table}"')
