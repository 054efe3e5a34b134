"""SQL snippets: draws from a key, keys and ids from draws, escapes of text.

Belongs here: pure functions from SQL text to SQL text. Does not: anything that knows sessions,
turns or steps.

Every draw is a hash of a 64-bit key and of the draw's purpose, so a row depends on nothing but
its own key. The purpose is folded in with `xor` *before* hashing: DuckDB's `hash(key, purpose)`
only xors the two hashes, so two purposes give correlated draws (-0.6 measured).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

FIFTY_THREE_BITS = 9007199254740992.0


def literal(value: str | None) -> str:
    """A SQL text literal, or NULL."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def bits(key: str, purpose: str) -> str:
    """64 random bits (UBIGINT)."""
    constant = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")
    return f"hash(xor({key}, {constant}::UBIGINT))"


def share(key: str, purpose: str) -> str:
    """A number in [0, 1)."""
    return f"(({bits(key, purpose)} >> 11) / {FIFTY_THREE_BITS})"


def below(key: str, purpose: str, limit: int | str) -> str:
    """A BIGINT in [0, limit)."""
    return f"CAST({bits(key, purpose)} % CAST({limit} AS UBIGINT) AS BIGINT)"


def between(key: str, purpose: str, least: int | str, most: int | str) -> str:
    """A BIGINT in [least, most], evenly."""
    return f"({least} + CAST(floor({share(key, purpose)} * ({most} - {least} + 1)) AS BIGINT))"


def member(items: str, key: str, purpose: str) -> str:
    """One member of a list expression."""
    return f"{items}[1 + {below(key, purpose, f'len({items})')}]"


def weighted(drawn: str, choices: Sequence[tuple[str, float]]) -> str:
    """The SQL value whose weight the draw (a column in [0, 1)) falls on; the last takes the rest."""
    total = sum(weight for _, weight in choices)
    reached, branches = 0.0, []
    for value, weight in choices[:-1]:
        reached += weight / total
        branches.append(f"WHEN {drawn} < {reached:.9f} THEN {value}")
    return f"CASE {' '.join(branches)} ELSE {choices[-1][0]} END"


def child(key: str, number: str) -> str:
    """The key of the `number`-th child of a key (the number is no draw: plain `hash` will do)."""
    return f"hash({key}, CAST({number} AS BIGINT))"


def uuid4(high: str, low: str) -> str:
    """A UUIDv4 text from two UBIGINTs."""
    return _uuid(f"(({high} & {0xFFFFFFFFFFFF0FFF}::UBIGINT) | {0x4000}::UBIGINT)", low)


def uuid7(milliseconds: str, key: str, purpose: str) -> str:
    """A UUIDv7 text: 48 bits of epoch milliseconds, then draws."""
    high = (
        f"((CAST({milliseconds} AS UBIGINT) << 16) | {0x7000}::UBIGINT"
        f" | ({bits(key, purpose + ' high')} >> 52))"
    )
    return _uuid(high, bits(key, purpose + " low"))


def hexadecimal(key: str, purpose: str, digits: int = 16) -> str:
    """Lower-case hexadecimal digits, at most 16."""
    return f"format('{{:016x}}', {bits(key, purpose)})[:{digits}]"


def instant(milliseconds: str) -> str:
    """A TIMESTAMPTZ from epoch milliseconds."""
    return f"make_timestamptz(CAST({milliseconds} AS BIGINT) * 1000)"


def json_text(text: str) -> str:
    """A JSON string, quotes included."""
    return f"CAST(to_json({text}) AS VARCHAR)"


def html_escaped(text: str) -> str:
    """HTML-escaped text, as the older planner and the attributes have it."""
    escapes = (("&", "&amp;"), ('"', "&quot;"), ("'", "&#39;"), ("<", "&lt;"), (">", "&gt;"))
    return _replaced(text, escapes)


def python_text(text: str) -> str:
    """A Python string literal in single quotes."""
    escapes = (("\\", "\\\\"), ("'", "\\'"))
    lines = _replaced(text, escapes)
    return f"concat('''', replace({lines}, chr(10), '\\n'), '''')"


def filled(template: str, slots: Iterable[tuple[str, str]]) -> str:
    """A template with its `{slot}`s replaced by SQL values."""
    for slot, value in slots:
        template = f"replace({template}, '{{{slot}}}', {value})"
    return template


def text_list(items: Iterable[str]) -> str:
    """A list literal of texts."""
    return "([" + ", ".join(literal(item) for item in items) + "]::VARCHAR[])"


def _replaced(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = f"replace({text}, {literal(old)}, {literal(new)})"
    return text


def _uuid(high: str, low: str) -> str:
    variant = f"(({low} & {0x3FFFFFFFFFFFFFFF}::UBIGINT) | {1 << 63}::UBIGINT)"
    # UUID text sorts by its bits; the cast from UHUGEINT keeps them as they are.
    return (
        f"CAST(CAST(CAST({high} AS UHUGEINT) * {1 << 64}::UHUGEINT + {variant} AS UUID) AS VARCHAR)"
    )
