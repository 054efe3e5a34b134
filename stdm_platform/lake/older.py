"""Files that an earlier catalog wrote: what of them can be read today.

Belongs here: comparing the columns of held files with the catalog's. Does not: reading rows.

A column that a file lacks reads as null, one that the catalog dropped is left out. A column whose type
changed since is neither: a cast would be a guess, so its days are refused with the command that reads
them again. Re-extraction replaces whole windows, and so brings a day up to the present catalog.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.catalog import Dmo
from stdm_platform.errors import OtherCatalogError
from stdm_platform.lake.evidence import TYPES, type_digest
from stdm_platform.lake.footers import FooterCache
from stdm_platform.lake.names import WindowFile
from stdm_platform.lake.row_file import file_schema


def refuse_other_types(dmo: Dmo, held: Iterable[WindowFile], footers: FooterCache) -> None:
    """Refuse held windows of which a column has another type than the catalog's.

    Raises:
        OtherCatalogError: naming the columns, the days, and the command that reads them again.
        OSError, DamagedFileError: a file cannot be read.
    """
    known = {type_digest(file_schema(dmo)): list[str]()}
    odd: dict[str, None] = {}
    days: list[date] = []
    for file in held:
        digest = footers.footer(file).get(TYPES, "")
        if not digest or digest not in known:
            known[digest] = other_types(dmo, file.path)
        if known[digest]:
            odd.update(dict.fromkeys(known[digest]))
            days.append(file.day)
    if odd:
        raise _refusal(dmo, odd, days)


def other_types(dmo: Dmo, path: Path) -> list[str]:
    """The columns of a file that have another type than the catalog's, each as a phrase."""
    held: pa.Schema = pq.read_schema(path)
    return [
        f"{field.name} is held as {held.field(field.name).type} and is {field.type} now"
        for field in file_schema(dmo)
        if field.name in held.names and held.field(field.name).type != field.type
    ]


def _refusal(dmo: Dmo, odd: Iterable[str], days: list[date]) -> OtherCatalogError:
    until = max(days) + timedelta(days=1)
    error = OtherCatalogError(
        f"{len(set(days))} days were written by another version of the catalog: {', '.join(odd)}.",
        action="Read them again: "
        f"stdm extract --table {dmo.name} --since {min(days)} --until {until}.",
    )
    error.during(f"{dmo.name} of {min(days)}")
    return error
