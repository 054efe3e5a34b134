"""Keep secrets and people's text out of messages.

Belongs here: turning what a server said into a short line that may be shown. Does not: deciding
what the server meant (`refusals.py`).
"""

from __future__ import annotations

import re
import threading

LONGEST_LINE = 200
MASK = "***"
# A token that we never held may be quoted too: a JWT, or a session id like 00Dxx0000000000!AQ….
_TOKEN_LIKE = re.compile(r"eyJ[\w-]+(?:\.[\w-]+)*|\b00D\w{9,15}![\w.!-]+|(?<=Bearer )\S+")
# Some texts put the name of an object or field into the same quotes as a literal; names stay.
_SQL_LITERAL = re.compile(r"'(?!\w+__(?:dlm|dll|c)')(?:[^']|'')*'?|'(\w+)'")


class Masker:
    """Remembers secrets, and masks them in every line that it is given."""

    def __init__(self, *secrets: str) -> None:
        self._lock = threading.Lock()
        self._secrets = {secret for secret in secrets if secret}

    def remember(self, secret: str) -> None:
        """Mask this one too, from now on."""
        with self._lock:
            self._secrets.add(secret)

    def line(self, text: str, *, keep_literals: bool = False, longest: int = LONGEST_LINE) -> str:
        """One short line without secrets; SQL literals, which may quote people, are cut out."""
        with self._lock:
            secrets = sorted(self._secrets, key=len, reverse=True)
        for secret in secrets:
            text = text.replace(secret, MASK)
        text = _TOKEN_LIKE.sub(MASK, text)
        if not keep_literals:
            text = _SQL_LITERAL.sub(lambda found: found[0] if found[1] else "'…'", text)
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= longest else text[: longest - 1] + "…"
