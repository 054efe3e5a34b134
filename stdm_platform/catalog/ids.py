"""The forms in which one and the same id is served.

Belongs here: spelling an id otherwise. Does not: asking for it, whose id it is.

Source: section 4.6 of the Data 360 page: gateway objects quote the session id, and one record is
named by 15 or by 18 characters.
"""

from __future__ import annotations

from collections.abc import Iterable

QUOTE = '"'
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_NO_ID = frozenset({"", "NOT_SET", "UNSET_VALUE", "None"})


def eighteen(given: str) -> str:
    """An id of 15 characters with the three that say which are capitals; any other as it is."""
    if len(given) != 15:
        return given
    groups = (given[start : start + 5] for start in (0, 5, 10))
    return given + "".join(
        _CHECK_LETTERS[sum(letter.isupper() << place for place, letter in enumerate(group))]
        for group in groups
    )


def is_id(value: str | None) -> bool:
    """Whether the value names a row, and is no sentinel for "none"."""
    return value is not None and value.strip(QUOTE) not in _NO_ID


def spellings(id_: str) -> tuple[str, ...]:
    """Every form in which the org may serve this id, its own first: quoted or not, 15 or 18.

    >>> spellings("0Mwxx0000000001")
    ('0Mwxx0000000001', '"0Mwxx0000000001"', '0Mwxx0000000001CAA', '"0Mwxx0000000001CAA"')
    """
    plain = id_.strip(QUOTE)
    forms = [plain]
    if plain.isascii() and plain.isalnum():
        if len(plain) == 15:
            forms.append(eighteen(plain))
        elif len(plain) == 18 and eighteen(plain[:15]) == plain:
            forms.append(plain[:15])
    return tuple(dict.fromkeys([id_, *(each for form in forms for each in (form, f'"{form}"'))]))


def all_spellings(ids: Iterable[str]) -> list[str]:
    """Every form of each of these ids, each once."""
    return list(dict.fromkeys(form for id_ in ids for form in spellings(id_)))


def canonical(id_: str) -> str:
    """One form for all spellings of an id, to compare by; never shown or asked for."""
    return eighteen(id_.strip(QUOTE))
