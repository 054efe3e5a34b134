"""Which operation a request is: the vocabulary of logs and fault plans.

Belongs here: from method and path to a name like `v3.chunk`. Does not: serving it.
"""

from __future__ import annotations

import re

_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("POST", r"/services/oauth2/token", "token.login"),
    ("POST", r"/services/a360/token", "token.exchange"),
    ("POST", r"/services/data/v[\d.]+/ssot/query-sql", "connect.submit"),
    ("GET", r"/services/data/v[\d.]+/ssot/query-sql/.+/rows", "connect.rows"),
    ("GET", r"/services/data/v[\d.]+/ssot/query-sql/.+", "connect.status"),
    ("DELETE", r"/services/data/v[\d.]+/ssot/query-sql/.+", "connect.cancel"),
    ("POST", r"/api/v3/query", "v3.submit"),
    ("GET", r"/api/v3/query/.+/chunks/[^/]+", "v3.chunk"),
    ("GET", r"/api/v3/query/.+/rows", "v3.rows"),
    ("GET", r"/api/v3/query/.+/metadata", "v3.metadata"),
    ("GET", r"/api/v3/query/.+", "v3.status"),
    ("DELETE", r"/api/v3/query/.+", "v3.cancel"),
)
_COMPILED = tuple((method, re.compile(pattern), name) for method, pattern, name in _ROUTES)

CONTROL_PREFIX = "/sandbox/"


def operation_of(method: str, path: str) -> str | None:
    """The operation's name; None for a path that no plane serves, and for the sandbox's own."""
    for its_method, pattern, name in _COMPILED:
        if method == its_method and pattern.fullmatch(path):
            return name
    return None


def query_id_in(path: str) -> str:
    """The query id in the path of a follow-up."""
    found = re.search(r"/query(?:-sql)?/([^/]+)", path)
    return found[1] if found else ""
