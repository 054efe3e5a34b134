from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stdm_platform.extraction.instants import (
    _parsed_one_by_one,
    instants_from_arrow,
    instants_from_text,
)

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001
OFFSETS = st.integers(-14 * 60, 14 * 60)


def floored(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def written(instant: datetime, offset: int, digits: int, separator: str, style: str) -> str:
    local = instant + timedelta(minutes=offset)
    text = local.strftime(f"%Y-%m-%d{separator}%H:%M:%S").rjust(19, "0")
    nanoseconds = f"{local.microsecond:06d}000"
    text += f".{nanoseconds[:digits]}" if digits else ""
    hours, minutes = divmod(abs(offset), 60)
    sign = "-" if offset < 0 else "+"
    if style == "Z":
        return text + "Z"
    return text + f"{sign}{hours:02d}" + (":" if style == ":" else "") + f"{minutes:02d}"


@given(
    st.lists(
        st.tuples(
            INSTANTS,
            OFFSETS,
            st.integers(0, 9),
            st.sampled_from("T "),
            st.sampled_from(["Z", ":", ""]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_every_spelling_of_an_instant_is_the_same_instant(
    spelled: list[tuple[datetime, int, int, str, str]],
) -> None:
    texts, expected = [], []
    for instant, offset, digits, separator, style in spelled:
        offset = 0 if style == "Z" else offset
        cut = 10 ** max(6 - digits, 0)
        shown = instant.replace(microsecond=instant.microsecond // cut * cut)
        texts.append(written(shown, offset, digits, separator, style))
        expected.append(floored(shown).replace(tzinfo=UTC))
    served = pa.array(texts)
    assert instants_from_text(served).to_pylist() == expected
    assert _parsed_one_by_one(served).to_pylist() == expected


@given(st.lists(st.one_of(st.none(), INSTANTS), min_size=1), st.sampled_from(["us", "ns"]))
def test_both_transports_give_the_same_instants(instants: list[datetime | None], unit: str) -> None:
    served = pa.array(instants, pa.timestamp("us")).cast(pa.timestamp(unit))
    texts = pa.array([None if i is None else i.isoformat() + "Z" for i in instants], pa.string())
    for there in (served, served.cast(pa.timestamp(unit, tz="UTC"))):
        assert instants_from_arrow(there).equals(instants_from_text(texts))


def test_an_instant_of_another_zone_is_moved_to_utc() -> None:
    berlin = pa.array([datetime(2026, 1, 14, 12, tzinfo=timezone(timedelta(hours=1)))])
    assert instants_from_arrow(berlin).to_pylist() == [datetime(2026, 1, 14, 11, tzinfo=UTC)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_unit_becomes_milliseconds(unit: str) -> None:
    served = pa.array([datetime(2026, 1, 14, 12, tzinfo=UTC)], pa.timestamp(unit, tz="UTC"))
    assert instants_from_arrow(served).type == pa.timestamp("ms", tz="UTC")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-14", "2026-01-14T00:00:00"),
        ("2026-01-14T10:20", "2026-01-14T10:20:00"),
        ("2026-01-14T10Z", "2026-01-14T10:00:00"),
        ("2026-01-14T10:20:30", "2026-01-14T10:20:30"),
        ("2026-01-14 10:20:30 UTC", "2026-01-14T10:20:30"),
        ("2026-01-14 10:20:30.123456+00", "2026-01-14T10:20:30.123"),
        ("2026-01-14T10:20:30.999999999Z", "2026-01-14T10:20:30.999"),
        ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999"),
    ],
)
def test_odd_spellings_are_read(text: str, expected: str) -> None:
    instant = datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert instants_from_text(pa.array([text])).to_pylist() == [instant]
    # A neighbour that cannot be read changes nothing.
    assert instants_from_text(pa.array([text, "never"])).to_pylist() == [instant, None]


@pytest.mark.parametrize(
    "text",
    ["", "NOT_SET", "2026-02-30T00:00:00Z", "2026-01-14T24:00:00Z", "1768392000", "x2026-01-14"],
)
def test_what_is_no_instant_is_null(text: str) -> None:
    assert instants_from_text(pa.array([text])).to_pylist() == [None]


def test_a_column_without_any_value_is_read() -> None:
    assert instants_from_text(pa.array([None, None], pa.string())).null_count == 2
    assert len(instants_from_text(pa.array([], pa.string()))) == 0
