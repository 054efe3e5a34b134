"""Which org a token answer is for, in one form however it is spelled.

Belongs here: finding the org's id, and its form of 18 characters. Does not: asking for tokens
(`tokens.py`).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_TOKEN_OF_ORG = re.compile(r"(00D[0-9A-Za-z]{12})!")


def org_id_of(identity_url: str, token: str) -> str | None:
    """The org's id: last but one in the identity URL, else what the token itself begins with."""
    parts = urlsplit(identity_url).path.strip("/").split("/")
    if len(parts) > 1 and parts[-2]:
        return eighteen(parts[-2])
    begins = _TOKEN_OF_ORG.match(token)
    return eighteen(begins[1]) if begins else None


def eighteen(given: str) -> str:
    """An id of 15 characters with the three that say which are capitals; any other as it is.

    Both forms name one org (section 4.6 of the Data 360 page), and a lake belongs to one org.
    """
    if len(given) != 15:
        return given
    groups = (given[start : start + 5] for start in (0, 5, 10))
    return given + "".join(
        _CHECK_LETTERS[sum(letter.isupper() << place for place, letter in enumerate(group))]
        for group in groups
    )
