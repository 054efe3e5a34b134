"""Instants as an org serves them → UTC with milliseconds, cut, alike on both transports.

Belongs here: text and Arrow timestamps of every unit and zone. Does not: other types
(`conform.py`). Cut means floor: an instant just before midnight never moves to the next day.

Source: sections 2.4 and 4.6 of the Data 360 page: `…mmmZ` seen live; offsets and up to
nanoseconds must be accepted.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

INSTANT = pa.timestamp("ms", tz="UTC")
SHAPE = (
    r"^(?<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?<minutes>\d{2}(?::\d{2})?)(?::(?<seconds>[0-5]\d)(?:\.(?<fraction>\d{1,9}))?)?)?"
    r" ?(?:Z|UTC|(?<sign>[+-])(?<hours>[01]\d|2[0-3])(?::?(?<offset_minutes>[0-5]\d))?)?$"
)


def instants_from_text(texts: pa.Array) -> pa.Array:
    """The instants of ISO texts; null where a text is none.

    A text without zone is UTC, as Data 360 serves `Timestamp` without one.
    """
    # Arrow's own parser is some thirty times as fast, and refuses the whole array for one odd text.
    for unit in ("ms", "us"):
        try:
            return instants_from_arrow(texts.cast(pa.timestamp(unit, tz="UTC")))
        except pa.ArrowInvalid:
            continue
    return _parsed_one_by_one(texts)


def instants_from_arrow(values: pa.Array) -> pa.Array:
    """The instants of Arrow timestamps or dates of any unit; without a zone they are UTC."""
    if pa.types.is_date(values.type):
        return values.cast(pa.timestamp("ms")).cast(INSTANT)
    unit = values.type.unit
    in_utc = values.cast(pa.timestamp(unit, tz="UTC"))
    if unit in ("us", "ns"):
        # A plain cast cuts towards 1970, which is up for older instants.
        in_utc = pc.floor_temporal(in_utc, unit="millisecond")
    return in_utc.cast(INSTANT)


def _parsed_one_by_one(texts: pa.Array) -> pa.Array:
    groups = pl.Series("text", texts, dtype=pl.String).str.extract_groups(SHAPE)
    parts = groups.struct.unnest()
    to_the_second = pl.concat_str(
        pl.col("date"),
        pl.lit("T"),
        pl.col("minutes").fill_null("00").str.replace(r"^(\d{2})$", "$1:00"),
        pl.lit(":"),
        pl.col("seconds").fill_null("00"),
    ).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False)
    milliseconds = pl.col("fraction").str.head(3).str.pad_end(3, "0").cast(pl.Int64).fill_null(0)
    offset = (
        pl.col("hours").cast(pl.Int64).fill_null(0) * 60
        + pl.col("offset_minutes").cast(pl.Int64).fill_null(0)
    ) * pl.when(pl.col("sign") == "-").then(-1).otherwise(1)
    instants = parts.select(
        (
            to_the_second
            + pl.duration(milliseconds=milliseconds, time_unit="ms")
            - pl.duration(minutes=offset, time_unit="ms")
        ).dt.replace_time_zone("UTC")
    )
    return instants.to_series().to_arrow().cast(INSTANT)
