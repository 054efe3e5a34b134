"""What an administrator of the org can set: the states of user and app, scopes, data spaces.

Belongs here: the settings and their checks. Does not: acting on them (`auth.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from stdm_platform.errors import ArgumentError

UserState = Literal["active", "locked", "inactive", "not_approved"]
AppState = Literal["active", "blocked"]


@dataclass(frozen=True)
class Access:
    """What an administrator of the org can set."""

    user_state: UserState = "active"
    app_state: AppState = "active"
    scopes: str = "api cdp_query_api cdp_profile_api refresh_token"
    one_use_tokens: bool = False
    org_token_seconds: int = 7200
    data_spaces: tuple[str, ...] = ("default",)

    def changed(self, **given: Any) -> Access:
        """A copy with fields replaced by what JSON gave.

        Raises:
            ArgumentError: a state is unknown.
        """
        if "data_spaces" in given:
            given["data_spaces"] = tuple(given["data_spaces"])
        changed = replace(self, **given)
        if changed.user_state not in get_args(UserState):
            raise ArgumentError(
                f"user_state {changed.user_state!r} is unknown.", action="See access.py."
            )
        if changed.app_state not in get_args(AppState):
            raise ArgumentError(
                f"app_state {changed.app_state!r} is unknown.", action="See access.py."
            )
        return changed
