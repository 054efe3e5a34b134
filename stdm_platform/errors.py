"""Every error that a user can meet.

    StdmError                        exit 1, the root of all
    ├── ArgumentError                exit 4, a flag, date, range or variable that cannot be used
    │   └── WrongOrgError            exit 4, the data directory belongs to another org
    ├── AuthenticationError          exit 2, no token: key, app, user, audience or exchange
    ├── NotExtractedError            exit 3, the objects that the answer needs were never extracted
    ├── SourceError                  exit 1, Data 360 answered, and the answer is no use
    │   ├── PermissionDeniedError    403: scope, permission set or data space
    │   ├── QueryError               400: the SQL was refused
    │   │   ├── ObjectNotFoundError  the org has no such object
    │   │   └── FieldNotFoundError   the object has no such field
    │   ├── QueryExpiredError        the query id is lost or expired; the window starts again
    │   ├── IncompleteResultError    the rows in hand do not add up to the rows promised
    │   └── UnavailableError         a transient fault outlived every attempt
    ├── ContractError                exit 1, a window broke its contract and was refused
    ├── LakeError                    exit 1, the lake cannot take or give a window
    │   ├── OverlapError             a window would cover a held one only partly
    │   ├── DamagedFileError         the footer of a window file cannot be read
    │   └── OtherCatalogError        a column of a held file has another type than the catalog's
    └── MartError                    exit 1, dbt or the publication of the marts failed

Belongs here: error classes with their exit codes. Does not: anything that raises them; this module
imports nothing.

A message names the DMO, the day, the value and the next action, and never a secret or message
text. The room that knows the DMO and the day adds them with `StdmError.during`.
"""

from __future__ import annotations


class StdmError(Exception):
    """The root of every error that a user can meet.

    `exit_code` is what the `stdm` command ends with. `action` is the next thing to do, as a
    sentence; `str(error)` ends with it.
    """

    exit_code = 1

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.action = action
        self.place = ""

    def during(self, place: str) -> StdmError:
        """Say where it happened (`sessions of 2026-01-14`); the innermost place stays."""
        self.place = self.place or place
        return self

    def __str__(self) -> str:
        """One line: place, message, next action."""
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} {self.action}".rstrip()


class ArgumentError(StdmError):
    """A flag, date, range or variable that cannot be used."""

    exit_code = 4


class WrongOrgError(ArgumentError):
    """The data directory holds another org, and nothing was changed."""


class AuthenticationError(StdmError):
    """No token: the key, the app, the user, the audience or the exchange."""

    exit_code = 2


class NotExtractedError(StdmError):
    """The objects that the answer needs were never extracted."""

    exit_code = 3


class SourceError(StdmError):
    """Data 360 answered, and the answer is no use."""


class PermissionDeniedError(SourceError):
    """HTTP 403: a scope, a permission set or access to the data space is missing."""


class QueryError(SourceError):
    """HTTP 400: the SQL was refused."""


class ObjectNotFoundError(QueryError):
    """The org has no such object."""


class FieldNotFoundError(QueryError):
    """The object has no such field."""


class QueryExpiredError(SourceError):
    """The query id is lost or expired; the window has to start again."""


class IncompleteResultError(SourceError):
    """The rows in hand do not add up to the rows that the org promised."""


class UnavailableError(SourceError):
    """A transient fault outlived every attempt."""


class ContractError(StdmError):
    """A window broke its contract and was refused."""


class LakeError(StdmError):
    """The lake cannot take or give a window."""


class OverlapError(LakeError):
    """A window would cover a held one only partly."""


class DamagedFileError(LakeError):
    """The footer of a window file cannot be read; its window counts as missing."""


class OtherCatalogError(LakeError):
    """A file was written by another version of the catalog, and a column has another type now."""


class MartError(StdmError):
    """Dbt or the publication of the marts failed."""
