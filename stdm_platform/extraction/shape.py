"""What an org really has of a DMO: object name, columns, types.

Belongs here: the look before an extraction. Does not: keeping looks (`schemas.py`), comparing them
over time (`guard`), reading rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from stdm_platform.catalog import Column, Dmo
from stdm_platform.catalog.model import LEGACY_PREFIX, NEWER_PREFIX, ColumnType
from stdm_platform.data360 import ResultColumn
from stdm_platform.errors import FieldNotFoundError, ObjectNotFoundError, StdmError
from stdm_platform.extraction.asking import until_answered
from stdm_platform.extraction.source import Result, Source

USUAL_TYPES: Mapping[ColumnType, str] = {
    "text": "Varchar",
    "timestamp": "TimestampTZ",
    "number": "Numeric",
    "boolean": "Boolean",
}
"""As orgs name the types of columns that are served as the catalog expects."""


@dataclass(frozen=True)
class SourceShape:
    """A DMO as one org has it.

    `columns` maps lake names to the org's spelling, `types` lake names to types as served;
    `absent` holds source names of what the org lacks.
    """

    dmo: Dmo
    object_name: str
    columns: Mapping[str, str]
    absent: tuple[str, ...]
    types: Mapping[str, str]

    def asked(self, text: str) -> tuple[str, ...]:
        """The lake columns to ask for; with `text="none"` those that hold no text."""
        return tuple(
            name
            for name in self.columns
            if text != "none" or self.dmo[name].sensitivity != "text" or self.dmo[name].required
        )

    def left_out(self, text: str) -> tuple[str, ...]:
        """Source names of the columns that a window does not hold: absent or not asked for."""
        asked = self.asked(text)
        unasked = [spelling for name, spelling in self.columns.items() if name not in asked]
        return (*self.absent, *unasked)


@dataclass(frozen=True)
class Sight:
    """What a look saw, before anybody asks whether it is enough.

    `objects` are the names that the org has, the one that is read first; `columns` all of that
    one; `via` is the transport that told, "" when no name was found.
    """

    objects: tuple[str, ...] = ()
    columns: tuple[ResultColumn, ...] = ()
    via: str = ""


def _unnoted(sight: Sight) -> None:
    """For callers that keep no looks."""


def expected_shape(dmo: Dmo) -> SourceShape:
    """The shape that the catalog expects, to show a query without asking the org.

    The org may spell names otherwise and lack columns; `look` tells.
    """
    columns = {column.name: column.source for column in dmo.columns}
    types = {column.name: USUAL_TYPES[column.type] for column in dmo.columns}
    return SourceShape(dmo, dmo.objects[0], columns, (), types)


def look(
    client: Source, dmo: Dmo, *, of: str = "", note: Callable[[Sight], None] = _unnoted
) -> SourceShape | None:
    """The shape of a DMO in this org by a query without rows; None if the org lacks the object.

    Every name is looked for: an org that has the object under two, one of them empty, would else
    give zero rows without an error (section 5.1 of the Data 360 page).

    Args:
        client: the org.
        dmo: the catalog's entry.
        of: the days that are wanted, for the place in an error.
        note: told what was seen, also when it is too little to go on.

    Raises:
        PermissionDeniedError: the object may be there, but not for this user.
        FieldNotFoundError: a column without which no row can be placed is missing.
    """
    found: dict[str, Result] = {}
    for name in dmo.objects:
        try:
            sql = f"SELECT * FROM {quoted(name)} LIMIT 0"
            found[name] = until_answered(partial(client.query, sql))
        except ObjectNotFoundError:
            continue
        except StdmError as error:
            raise _at(error, dmo, name, of)  # noqa: B904  # the same error
    if not found:
        note(Sight())
        return None
    name = next(iter(found))
    try:
        if len(found) > 1:
            name = next((each for each in found if _has_rows(client, each)), name)
        columns = found[name].columns
        others = [each for each in found if each != name]
        note(Sight((name, *others), columns, found[name].transport))
        return _shape(dmo, name, columns)
    except StdmError as error:
        raise _at(error, dmo, name, of)  # noqa: B904  # the same error


def _has_rows(client: Source, name: str) -> bool:
    """Whether the object holds anything: an org with both families fills only one of them."""

    def has_one() -> bool:
        result = client.query(f'SELECT 1 AS "one" FROM {quoted(name)} LIMIT 1')
        return any(batch.num_rows for batch in result.batches())

    return until_answered(has_one)


def _at(error: StdmError, dmo: Dmo, name: str, of: str) -> StdmError:
    place = f"{dmo.name} ({name})"
    return error.during(f"{place} of {of}" if of else place)


def _shape(dmo: Dmo, object_name: str, found_columns: Sequence[ResultColumn]) -> SourceShape:
    served = {column.name.lower(): column for column in found_columns}
    columns, types, absent = {}, {}, []
    for column in dmo.columns:
        found = next((served[c.lower()] for c in column.candidates if c.lower() in served), None)
        if found is not None:
            columns[column.name], types[column.name] = found.name, found.type
        elif column.required:
            raise _missing(dmo, column, object_name)
        else:
            absent.append(_expected_name(column, object_name))
    return SourceShape(dmo, object_name, columns, tuple(absent), types)


def _missing(dmo: Dmo, column: Column, object_name: str) -> StdmError:
    return FieldNotFoundError(
        f"the org's object {object_name} has none of the columns {', '.join(column.candidates)}, "
        f"and {column.name} is required.",
        action="If the column was renamed, add its new name to `other_sources` in the catalog "
        f"entry {dmo.name}; else ask the org's admin why it is gone.",
    )


def _expected_name(column: Column, object_name: str) -> str:
    """The name that the column would have in the family of this object."""
    if object_name.startswith(NEWER_PREFIX) and column.source.startswith(LEGACY_PREFIX):
        return NEWER_PREFIX + column.source.removeprefix(LEGACY_PREFIX)
    return column.source


def quoted(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
