"""Text of strangers made harmless for a terminal.

Belongs here: showing what would steer a terminal, and breaking long text. Does not: layout, files for programs.

Traces hold what users typed. A terminal obeys escape sequences, and the characters that turn the direction of
writing can make one line read as another, so both are shown by their names instead of being obeyed.
Source: ECMA-48 (C0 and C1 controls); Unicode Technical Report 36 and CVE-2021-42574 (bidirectional controls).
"""

from __future__ import annotations

import textwrap

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

CONTROL_PICTURES = 0x2400
DELETE = 0x7F
_UNSEEN = (
    *range(0x80, 0xA0),  # C1 controls: one of them begins an escape sequence
    0x061C,
    *(0x200B, 0x200E, 0x200F, 0x2028, 0x2029),
    *range(0x202A, 0x202F),  # embeddings and overrides
    *range(0x2060, 0x2070),  # isolates, deprecated and unseen marks
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),  # tags: text that nobody sees and a model reads
)
_SHOWN = {
    **{code: chr(CONTROL_PICTURES + code) for code in range(0x20)},
    DELETE: chr(0x2421),
    **{code: f"<U+{code:04X}>" for code in (*_UNSEEN, *range(0xD800, 0xE000))},
}
_SHOWN_IN_LINES = {code: text for code, text in _SHOWN.items() if chr(code) not in "\n\t"}


def harmless(text: str) -> str:
    r"""The text in one line, with every control and direction mark shown by its name.

    >>> print(harmless("a\x1b[2Jb\u202ec"))
    a␛[2Jb<U+202E>c
    """
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN)


def harmless_lines(text: str) -> str:
    """The same, but line ends and tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN_IN_LINES)


def harmless_json(text: str) -> str:
    """JSON text with such characters escaped as JSON does it: the same values, nothing to obey."""
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return text.translate({code: _json_escape(code) for code in (DELETE, *_UNSEEN)})


def _json_escape(code: int) -> str:
    raw = chr(code).encode("utf-16-be")
    return "".join(f"\\u{raw[at]:02x}{raw[at + 1]:02x}" for at in range(0, len(raw), 2))


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and how long it is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text):,} characters)"


def folded(text: str, width: int) -> list[str]:
    """Harmless lines of at most `width` columns; line ends in the text stay line ends."""
    lines: list[str] = []
    for line in text.splitlines() or [""]:
        shown = harmless(line)
        if cell_len(shown) <= width:
            lines.append(shown)
        elif shown.isascii():
            lines += textwrap.wrap(shown, width) or [""]
        else:
            lines += [str(part) for part in Text(shown).wrap(Console(width=width), width)]
    return lines
