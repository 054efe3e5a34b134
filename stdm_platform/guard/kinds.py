"""Which served types each type of the catalog may come as.

Belongs here: the names of types that Data 360 declares. Does not: decoding them (`extraction`).

Source: sections 2.4, 4.3 and 4.6 of the Data 360 page. Booleans and numbers are seen as text in
live orgs, so text is accepted for them; instants never are, so a clock that comes as text is drift.
"""

from __future__ import annotations

from collections.abc import Mapping

from stdm_platform.catalog.model import Column, ColumnType

TEXT = frozenset({"varchar", "text", "char", "string", "character varying", "character", "bpchar"})
INTEGER = frozenset({"integer", "int", "bigint", "smallint", "tinyint"})
NUMBER = INTEGER | {"numeric", "decimal", "float", "double", "double precision", "real"}
TIMESTAMP = frozenset(
    {"timestamptz", "timestamp", "timestamp with time zone", "timestamp without time zone"}
)
BOOLEAN = frozenset({"boolean", "bool"})
UNTYPED = frozenset({"null"})
"""A column in which every row is null has no type of its own on Arrow."""

ACCEPTED: Mapping[ColumnType, frozenset[str]] = {
    "text": TEXT | UNTYPED,
    "timestamp": TIMESTAMP | UNTYPED,
    "number": NUMBER | TEXT | UNTYPED,
    "boolean": BOOLEAN | TEXT | UNTYPED,
}


def is_accepted(column_type: ColumnType, served_type: str) -> bool:
    """Whether a column of this type of the catalog may be served as this type.

    An unknown name is refused: what it holds would be a guess.
    """
    return served_type.partition("(")[0].strip().lower() in ACCEPTED[column_type]


def is_readable(column: Column, served_type: str) -> bool:
    """Whether a column may be served as this type: one that is accepted, or whole numbers for text.

    Whole numbers become text without loss, so keys stay what they are. Not where the catalog knows the
    words that the column holds: a number is none of them, and what is counted by them would be 0.
    """
    if is_accepted(column.type, served_type):
        return True
    is_integer = served_type.partition("(")[0].strip().lower() in INTEGER
    return column.type == "text" and not column.vocabulary and is_integer


def kind_of(served_type: str) -> str:
    """What a served type holds: text, number, timestamp, timestamp without zone, boolean, else its name.

    Transports and the metadata resource name types differently; "" is a type that says nothing.
    """
    name = served_type.partition("(")[0].strip().lower()
    if name in UNTYPED or not name:
        return ""
    if name in ("timestamp", "timestamp without time zone"):
        return "timestamp without zone"
    kinds = {"text": TEXT, "number": NUMBER, "timestamp": TIMESTAMP, "boolean": BOOLEAN}
    return next((kind for kind, names in kinds.items() if name in names), name)
