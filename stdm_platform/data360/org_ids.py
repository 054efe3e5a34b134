"""Which org a token answer is for, in one form however it is spelled.

Belongs here: finding the org's id. Does not: asking for tokens (`tokens.py`).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from stdm_platform.catalog.ids import eighteen

_TOKEN_OF_ORG = re.compile(r"(00D[0-9A-Za-z]{12})!")


def org_id_of(identity_url: str, token: str) -> str | None:
    """The org's id: last but one in the identity URL, else what the token itself begins with."""
    parts = urlsplit(identity_url).path.strip("/").split("/")
    if len(parts) > 1 and parts[-2]:
        return eighteen(parts[-2])
    begins = _TOKEN_OF_ORG.match(token)
    return eighteen(begins[1]) if begins else None
