"""Two signals inside this room: try again, and this plane is not for us.

Belongs here: exceptions that never reach a user, as `errors.py` holds those that do. Does not:
deciding which answer is which (`requester.py`, `refusals.py`).
"""

from __future__ import annotations

from stdm_platform.errors import StdmError


class TransientFault(Exception):
    """One attempt failed in a way that the next may not.

    `retry_after` is what the org asked for, in seconds. `outcome` is the error to raise when every
    attempt ended like this; None means `UnavailableError`.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, outcome: StdmError | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.outcome = outcome


class HtmlAnswer(TransientFault):
    """A web page, or anything else that is no JSON, came where JSON was due."""


class PlaneUnavailable(Exception):
    """The tenant plane is not for us; under `auto` the Connect plane is asked instead.

    `error` is what the user meets when there is no other plane to ask.
    """

    def __init__(self, error: StdmError) -> None:
        super().__init__(error.message)
        self.error = error
