"""Ask an org what it has of each DMO, without reading a row.

Belongs here: the metadata resource first, the query without rows where that does not tell. Does not:
keeping (`schemas.py`), comparing (`guard`).

The metadata resource costs no query, and it alone tells how the org spells an object. It is not
believed when it says that something is missing or cannot be read: it leaves out columns that queries
show, so a query is then asked, and what extraction would see is what counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.data360 import ObjectDescription
from stdm_platform.errors import FieldNotFoundError, ObjectNotFoundError, SourceError
from stdm_platform.extraction.schemas import keep, snapshot_of
from stdm_platform.extraction.shape import Sight, look
from stdm_platform.extraction.source import DescribedSource
from stdm_platform.guard import SchemaSnapshot
from stdm_platform.guard.catalog_edits import nearest
from stdm_platform.guard.kinds import is_readable
from stdm_platform.guard.schema_snapshot import METADATA
from stdm_platform.lake import Lake

NEAR_OBJECT = 0.6
"""Names of objects are long and share most of their letters, so the most alike ones are kept."""
MOST_NEAR = 5


def probe_org(
    client: DescribedSource, lake: Lake, now: datetime, *, dmos: Iterable[Dmo] = DMOS
) -> list[SchemaSnapshot]:
    """What the org has of these DMOs now; kept in the lake's directory too.

    Raises:
        WrongOrgError: the directory holds another org.
        SourceError: an object could not be looked at; the others were, and are kept.
        StdmError: the org cannot be asked at all.
    """
    lake.claim(client.org_id)
    found: list[SchemaSnapshot] = []
    refused: SourceError | None = None
    for dmo in dmos:
        try:
            snapshot = _probed(client, dmo, now)
        except SourceError as error:
            refused = refused or error
            continue
        keep(lake, snapshot)
        found.append(snapshot)
    if refused is not None:
        raise refused
    return found


def _probed(client: DescribedSource, dmo: Dmo, now: datetime) -> SchemaSnapshot:
    described = _described(client, dmo)
    if described is not None and _is_whole(dmo, described):
        return snapshot_of(dmo, Sight((described.name,), described.columns, METADATA), now)
    return _looked(client, dmo, now)


def _described(client: DescribedSource, dmo: Dmo) -> ObjectDescription | None:
    """The one object that the org describes; None when it has none, several, or does not tell."""
    found = []
    for name in dmo.objects:
        try:
            description = client.describe(name)
        except ObjectNotFoundError:
            continue
        if description is None:
            return None
        found.append(description)
    return found[0] if len(found) == 1 else None


def _is_whole(dmo: Dmo, described: ObjectDescription) -> bool:
    types = {column.name.lower(): column.type for column in described.columns}
    for column in dmo.columns:
        served = next((types[c.lower()] for c in column.candidates if c.lower() in types), None)
        if served is None or not is_readable(column, served):
            return False
    return True


def _looked(client: DescribedSource, dmo: Dmo, now: datetime) -> SchemaSnapshot:
    sights: list[Sight] = []
    try:
        look(client, dmo, of=f"{now.date()}", note=sights.append)
    except FieldNotFoundError:
        if not sights:  # a field of our own question, then
            raise
    snapshot = snapshot_of(dmo, sights[-1], now)
    return snapshot if snapshot.objects else _with_near(client, snapshot, dmo)


def _with_near(client: DescribedSource, snapshot: SchemaSnapshot, dmo: Dmo) -> SchemaSnapshot:
    """With the org's objects that are named most alike, for whoever has to find a renamed one."""
    known = {name.lower() for each in DMOS for name in each.objects}
    names = [name for name in client.object_names() if name.lower() not in known]
    near: list[str] = []
    while len(near) < MOST_NEAR and (name := nearest(dmo.objects[0], names, least=NEAR_OBJECT)):
        near.append(name)
        names.remove(name)
    return replace(snapshot, near=tuple(near))
