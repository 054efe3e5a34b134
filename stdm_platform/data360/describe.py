"""What an org says of an object: its name as the org spells it, fields, types, keys.

Belongs here: `GET /ssot/metadata` and its shapes. Does not: which objects to ask for, or what it
means that a field is not there.

The resource is a courtesy: many users may not read it (403), older orgs do not have it (404, a web
page), and it says nothing of nullability (section 2.8 of the Data 360 page; fields carry `name`,
`displayName`, `type`, sometimes `businessType`). So every answer but a description and "no such
object" means "not told", and whoever asks then has to look by a query.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stdm_platform.data360.answers import Answer
from stdm_platform.data360.columns import ResultColumn, columns_of
from stdm_platform.data360.planes import Plane
from stdm_platform.data360.refusals import read_refusal
from stdm_platform.errors import ObjectNotFoundError, StdmError

logger = logging.getLogger(__name__)


class _NotServedError(Exception):
    """The org does not serve descriptions to us."""


@dataclass(frozen=True)
class ObjectDescription:
    """An object as the org describes it; types are spelled as in `ResultColumn`.

    `keys` are the names of its primary key, in order; empty where the org does not tell.
    """

    name: str
    columns: tuple[ResultColumn, ...]
    keys: tuple[str, ...] = ()


class Descriptions:
    """Asks one org to describe objects, until it has said that it will not."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._path = f"/services/data/v{plane.connection.api_version}/ssot/metadata"
        self._refused = False

    def describe(self, name: str) -> ObjectDescription | None:
        """The object of this name, matched without case; None when the org does not tell.

        Raises:
            ObjectNotFoundError: the org says that there is none, or that the user may not see it.
        """
        found = self._asked({"entityName": name})
        return next((each for each in _entities(found) if each.name.lower() == name.lower()), None)

    def object_names(self) -> tuple[str, ...]:
        """All objects, as the org spells them; none when the org does not tell. A large answer."""
        try:
            return tuple(each.name for each in _entities(self._asked({})))
        except ObjectNotFoundError:
            return ()

    def _asked(self, params: Mapping[str, str]) -> Any:
        """The answer; None when there is none for us."""
        if self._refused:
            return None
        try:
            return self._plane.call("GET", self._path, _read, params=params, refuse=_refuse)
        except ObjectNotFoundError:
            raise
        except (_NotServedError, StdmError) as error:
            self._refused = True  # and would be so for every other object
            logger.info("The org describes no objects to us (%s); they are looked at.", error)
            return None


def _refuse(answer: Answer, error: StdmError) -> Exception | None:
    """Tell a missing object from a missing resource, whatever else the texts say."""
    if answer.status == 404 and read_refusal(answer).code.startswith("ITEM_NOT_FOUND"):
        return ObjectNotFoundError(error.message, action=error.action)
    return None


def _read(answer: Answer) -> Any:
    if answer.is_html:  # a login or maintenance page; no second attempt changes that here
        raise _NotServedError("a web page")
    return answer.json()


def _entities(found: Any) -> Iterator[ObjectDescription]:
    """The objects in any of the shapes: an envelope, a list, an object alone; others are skipped."""
    if isinstance(found, dict):
        found = found.get("metadata", found)
    for entity in found if isinstance(found, list) else [found]:
        if not isinstance(entity, dict) or not isinstance(entity.get("name"), str):
            continue
        columns = columns_of(entity.get("fields"))
        if columns:
            keys = entity.get("primaryKeys")
            named = [str(each.get("name")) for each in keys or () if isinstance(each, dict)]
            yield ObjectDescription(entity["name"], columns, tuple(named))
