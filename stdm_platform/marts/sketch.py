"""Percentiles that roll up: macros on sketches of durations, for the build and for readers alike.

Belongs here: the one formula that fills and reads a sketch. Does not: which marts carry one.

A sketch is a map from bucket to count in the manner of DDSketch (Masson, Rim and Lee 2019): bucket
i >= 0 holds durations in (g^(i-1), g^i] ms with g = 101/99, bucket -1 those of 0 ms. What is read out
is the middle of the bucket of the nearest-rank percentile, so at most 1 % off, and 0.05 ms by
rounding. Sketches of days, agents or names merge by adding counts, in whatever order.

DuckDB has no sketch whose state can be stored, and its extensions that have one are not part of an
installation; a map and a macro are read by every DuckDB.
"""

from __future__ import annotations

RELATIVE_ERROR = 0.01
"""What a percentile that is read out may be off, as a share of the true one."""

GAMMA = "(101 / 99.0)"


def macros_sql(catalog: str) -> str:
    """The statements that make `duration_bucket(ms)` and `percentile_ms(sketches, share)` in a catalog.

    `percentile_ms(list(duration_sketch), 0.95)` is the 95th percentile over the grouped rows, in
    milliseconds; null when they hold no duration. Nothing in the text names the catalog again: the
    file is opened under other names later.
    """
    known = "list_filter(sketches, lambda s: s is not null)"
    entries = f"flatten(list_transform({known}, lambda s: map_entries(s)))"
    # A list of one, so that the entries are merged once and not once per bucket.
    merged = (
        f"[{{'entries': list_sort({entries}), "
        f"'calls': list_sum(list_transform({entries}, lambda e: e.value))}}]"
    )
    # The share of a count is rarely exact: 0.07 * 100 must not ask for the eighth call.
    reached = """list_reduce(m.entries, lambda seen, next: case
            when seen.value >= share * m.calls - 1e-9 then seen
            else {'key': next.key, 'value': seen.value + next.value} end).key"""
    middle = f"round(2 * pow({GAMMA}, b) / ({GAMMA} + 1), 1)"
    return f"""
create or replace macro {catalog}.duration_bucket(ms) as
    case when ms = 0 then -1 when ms > 0 then cast(ceil(round(ln(ms) / ln({GAMMA}), 9)) as integer) end;
create or replace macro {catalog}.percentile_ms(sketches, share) as
    list_transform(
        list_transform({merged}, lambda m: case when m.calls > 0 then {reached} end),
        lambda b: case when b = -1 then 0.0 else {middle} end
    )[1];
"""
