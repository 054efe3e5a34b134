"""Rows that land late, asked of an org in this process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.sandbox.lags import LAGS, WORST, Lags
from stdm_platform.sandbox.options import SandboxOptions
from stdm_platform.sandbox.org import Org
from stdm_platform_tests.session_objects import SESSION_DMOS

FIRST_DAY = datetime(2026, 1, 14, tzinfo=UTC)
ALL_LANDED = FIRST_DAY + timedelta(days=11)
SESSIONS, STEPS, MOMENTS = (
    f'"{dmo(name).objects[0]}"' for name in ("sessions", "steps", "moments")
)
TRIED = (
    *SESSION_DMOS,
    *map(dmo, ("moment_interactions", "tag_associations", "gateway_requests", "generations")),
)
"""One of each kind of lag; catalogues are older than the org, and some objects have few rows."""
NAMES = [one.name for one in TRIED]


def options(path: Path, **changed: Any) -> SandboxOptions:
    return SandboxOptions(
        path, days=2, sessions_per_day=150, end=date(2026, 1, 15), clock=FIRST_DAY, **changed
    ).checked()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    org = Org(options(tmp_path_factory.mktemp("org")))
    # The generator's sessions end as live ones do: NOT_SET. Some ends that can be filled later:
    org.execute(
        f"UPDATE {SESSIONS} SET ssot__AiAgentSessionEndType__c = "
        "CASE WHEN right(ssot__Id__c, 1) > '7' THEN 'USER_ENDED' END"
    )
    yield org
    org.close()


@pytest.fixture
def org(made: Org) -> Iterator[Org]:
    made.move_clock({"now": FIRST_DAY.isoformat()})
    before = made.exposure
    yield made
    if made.exposure != before:
        made.expose(before)


def asked(org: Org, sql: str, at: datetime | None = None) -> list[Any]:
    """What a client's query gives, at an instant of the org's clock."""
    if at is not None:
        org.move_clock({"now": at.isoformat()})
    with org.client_cursor() as cursor:
        return cursor.execute(sql).fetchall()


def value(org: Org, sql: str) -> Any:
    return org.execute(sql)[1][0][0]


def hours(column: str, since: str) -> str:
    return f"epoch({column} - {since}) / 3600"


@pytest.mark.parametrize("one", TRIED, ids=NAMES)
def test_no_row_lands_before_the_shortest_lag_or_changes_after_the_settle_time(
    org: Org, one: Dmo
) -> None:
    clock = f'"{one[one.clock].source}"'
    rows, soonest, last = org.execute(
        f"SELECT count(*), min({hours('lands_at', clock)}), max({hours('settles_at', clock)}) "
        f"FROM truth.{one.name}"
    )[1][0]
    assert rows == value(org, f'SELECT count(*) FROM "{one.objects[0]}"') > 0
    assert soonest >= one.shortest_lag / timedelta(hours=1)
    assert last < one.settle_time / timedelta(hours=1)


@pytest.mark.parametrize("one", TRIED, ids=NAMES)
def test_a_client_sees_what_the_truth_says_at_each_instant(org: Org, one: Dmo) -> None:
    counts = []
    for after in (0, 7, 20, 31, 50, 100):
        at = FIRST_DAY + timedelta(hours=after)
        told = org.execute(f"SELECT * FROM truth.{one.name}_at('{at.isoformat()}') ORDER BY ALL")[1]
        assert asked(org, f'SELECT * FROM "{one.objects[0]}" ORDER BY ALL', at) == told
        landed = f"SELECT count(*) FROM truth.{one.name} WHERE lands_at <= '{at.isoformat()}'"
        assert len(told) == value(org, landed)
        counts.append(len(told))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert len(set(counts)) >= 4  # more and more of them
    whole = org.execute(f'SELECT * FROM "{one.objects[0]}" ORDER BY ALL')[1]
    assert asked(org, f'SELECT * FROM "{one.objects[0]}" ORDER BY ALL', ALL_LANDED) == whole


@pytest.mark.parametrize("one", TRIED, ids=NAMES)
def test_a_row_stays_as_it_is_once_the_truth_calls_it_settled(org: Org, one: Dmo) -> None:
    for after in (20, 48):
        at = (FIRST_DAY + timedelta(hours=after)).isoformat()
        final = f"SELECT * EXCLUDE (lands_at, settles_at) FROM truth.{one.name} WHERE settles_at"
        visible = f"SELECT * FROM truth.{one.name}_at('{at}')"
        assert value(org, f"SELECT count(*) FROM ({final} <= '{at}')") > 0
        assert value(org, f"SELECT count(*) FROM ({final} <= '{at}' EXCEPT {visible})") == 0


@pytest.mark.parametrize("name", ["sessions", "interactions", "steps", "messages", "moments"])
def test_lags_are_spread_as_the_table_says(org: Org, name: str) -> None:
    one, lags = dmo(name), LAGS[name]
    start = one[one.clock].source
    ended = (
        start if lags.since == "start" else one["ended_at"].source if name != "messages" else start
    )
    since = f'greatest("{start}", "{ended}")'
    rows = f"truth.{name}"
    if lags.since == "closed":
        rows += f" JOIN (SELECT ssot__Id__c AS id, ssot__EndTimestamp__c AS closed FROM {SESSIONS}) ON id = ssot__AiAgentSessionId__c"
        since = "closed"
    total = value(org, f"SELECT count(*) FROM {rows}")
    for band in lags.landing:
        most = (band.most or timedelta(days=7)) / timedelta(hours=1)
        lag = hours("lands_at", since)
        found = f"SELECT count(*) FROM {rows} WHERE {lag} >= {band.least / timedelta(hours=1)} AND {lag} < {most}"
        deviation = (band.share * (1 - band.share) / total) ** 0.5
        assert value(org, found) / total == pytest.approx(band.share, abs=5 * deviation)


def test_children_land_before_their_parents_and_after_them(org: Org) -> None:
    for child, key, parent in (
        ("steps", "ssot__AiAgentInteractionId__c", "interactions"),
        ("interactions", "ssot__AiAgentSessionId__c", "sessions"),
    ):
        joined = f"FROM truth.{child} c JOIN truth.{parent} p ON p.ssot__Id__c = c.{key} WHERE"
        assert value(org, f"SELECT count(*) {joined} c.lands_at < p.lands_at") > 0
        assert value(org, f"SELECT count(*) {joined} c.lands_at > p.lands_at") > 0


def test_the_end_of_a_session_is_filled_after_it_ended(org: Org) -> None:
    columns = "ssot__EndTimestamp__c, ssot__AiAgentSessionEndType__c"
    is_active = f"{columns.split(',')[0]} IS NULL"
    for after in (8, 16, 40):
        at = FIRST_DAY + timedelta(hours=after)
        rows = asked(org, f"SELECT {columns} FROM {SESSIONS}", at)
        assert all(ended is None or ended <= at for ended, _ in rows)
        ends = {(ended is None, kind) for ended, kind in rows}
        # One that is null in the end is never anything else.
        assert ends == {(True, "NOT_SET"), (False, "USER_ENDED"), (True, None), (False, None)}
    # Those that have no end in the end keep their end type.
    still = asked(org, f"SELECT DISTINCT ssot__AiAgentSessionEndType__c FROM {SESSIONS} WHERE {is_active}", ALL_LANDED)  # fmt: skip
    assert set(still) == {("USER_ENDED",), (None,)}


def test_moments_land_hours_after_their_session_closed_and_know_their_version_later(
    org: Org,
) -> None:
    late = f"SELECT min({hours('lands_at', 's.ssot__EndTimestamp__c')}) FROM truth.moments m JOIN {SESSIONS} s ON s.ssot__Id__c = m.ssot__AiAgentSessionId__c"
    assert value(org, late) >= 4
    changed = "SELECT count(*) FROM truth.moments WHERE settles_at > lands_at"
    assert value(org, changed) > 0
    named = f"SELECT count(*) FROM {MOMENTS} WHERE ssot__AiAgentVersionApiName__c <> 'NOT_SET'"
    at = FIRST_DAY + timedelta(hours=30)
    early = asked(org, f"SELECT ssot__Id__c FROM {MOMENTS} WHERE ssot__AiAgentVersionApiName__c = 'NOT_SET'", at)  # fmt: skip
    later = asked(org, f"{named} AND ssot__Id__c IN ({', '.join(repr(key) for (key,) in early)})", ALL_LANDED)  # fmt: skip
    assert later[0][0] > 0


def test_an_org_made_again_lets_the_same_rows_land_at_the_same_time(tmp_path: Path) -> None:
    landings = []
    for seed in (7, 7, 8):
        made = options(tmp_path / str(seed), seed=seed)
        made.sessions_per_day = 20
        org = Org(made)
        landings.append(org.execute("SELECT ssot__Id__c, lands_at FROM truth.steps ORDER BY 1")[1])
        if seed == 7 and len(landings) == 2:  # the same rows under another seed of the lags
            org.expose(org.exposure.changed(seed=8))
            other = org.execute("SELECT ssot__Id__c, lands_at FROM truth.steps ORDER BY 1")[1]
            assert [key for key, _ in other] == [key for key, _ in landings[0]]
            assert other != landings[0]
        org.close()
    assert landings[0] == landings[1] != landings[2]


def test_the_longest_lag_can_be_shorter_or_beyond_the_settle_time(org: Org) -> None:
    lag = hours("lands_at", "ssot__StartTimestamp__c")
    for longest, more_than in ((6, 5.9), (400, 168)):
        org.expose(org.exposure.changed(longest_lag_hours=longest))
        assert more_than < value(org, f"SELECT max({lag}) FROM truth.steps") <= longest


def test_the_shortest_lag_holds_even_where_the_longest_is_shorter(org: Org) -> None:
    org.expose(org.exposure.changed(longest_lag_hours=1))
    moments = dmo("moments")
    lag = hours("lands_at", "ssot__StartTimestamp__c")
    soonest = value(org, f"SELECT min({lag}) FROM truth.moments")
    assert soonest == pytest.approx(moments.shortest_lag / timedelta(hours=1), abs=1e-6)


@pytest.mark.parametrize("one", TRIED, ids=NAMES)
def test_a_window_is_still_read_as_a_window(org: Org, one: Dmo) -> None:
    """The client's window reaches the scan, and nothing groups or sorts a whole table."""
    clock = one[one.clock].source
    until_noon = f"{clock} < TIMESTAMPTZ '2026-01-14 12:00:00Z'"
    sql = f'EXPLAIN SELECT * FROM "{one.objects[0]}" WHERE {until_noon}'
    plan = asked(org, sql, ALL_LANDED)[0][1]
    assert f"{clock} < '2026-01-14 12:00:00" in plan[plan.rindex("Filters:") :]
    assert "Group By" not in plan
    assert "Order" not in plan


def test_rows_that_a_test_inserts_land_like_the_others(org: Org) -> None:
    org.execute(
        f"INSERT INTO {STEPS} (ssot__Id__c, ssot__StartTimestamp__c) VALUES "
        "('mine', '2026-01-14 06:00:00Z'), ('timeless', NULL)"
    )
    mine = f"SELECT ssot__Id__c FROM {STEPS} WHERE ssot__Id__c IN ('mine', 'timeless') ORDER BY 1"
    try:
        assert asked(org, mine, FIRST_DAY + timedelta(hours=6)) == [("timeless",)]
        assert asked(org, mine, ALL_LANDED) == [("mine",), ("timeless",)]
    finally:
        org.execute(f"DELETE FROM {STEPS} WHERE ssot__Id__c IN ('mine', 'timeless')")


def test_a_session_that_stands_twice_does_not_double_its_moments(org: Org) -> None:
    count = f"SELECT count(*), count(DISTINCT ssot__Id__c) FROM {MOMENTS}"
    before = asked(org, count, ALL_LANDED)
    org.execute(f"INSERT INTO {SESSIONS} SELECT * FROM {SESSIONS}")
    try:
        assert asked(org, count) == before
    finally:
        org.execute(
            f"DELETE FROM {SESSIONS} WHERE rowid NOT IN (SELECT min(rowid) FROM {SESSIONS} GROUP BY ssot__Id__c)"
        )


def test_an_org_that_lacks_columns_keeps_its_clock(tmp_path: Path) -> None:
    org = Org(options(tmp_path))
    org.execute(f"ALTER TABLE {SESSIONS} DROP COLUMN ssot__EndTimestamp__c")
    org.execute(f"ALTER TABLE {STEPS} DROP COLUMN ssot__StartTimestamp__c")
    org.execute(f"ALTER TABLE {MOMENTS} DROP COLUMN ssot__AiAgentVersionApiName__c")
    noon = FIRST_DAY + timedelta(hours=12)
    counts = {name: asked(org, f"SELECT count(*) FROM {name}", noon)[0][0]
              for name in (SESSIONS, STEPS, MOMENTS)}  # fmt: skip
    rows = {name: value(org, f"SELECT count(*) FROM {name}") for name in counts}
    org.close()
    assert 0 < counts[SESSIONS] < rows[SESSIONS]
    assert 0 < counts[MOMENTS] < rows[MOMENTS]
    assert counts[STEPS] == rows[STEPS]  # no instant, so no lag


def test_a_query_keeps_the_instant_at_which_it_was_asked(org: Org) -> None:
    count = f"SELECT count(*) FROM {STEPS}"
    org.move_clock({"now": (FIRST_DAY + timedelta(hours=12)).isoformat()})
    with org.client_cursor() as cursor:
        relation = cursor.sql(count)
        org.move_clock({"now": ALL_LANDED.isoformat()})
        then = relation.fetchall()
    assert 0 < then[0][0] < asked(org, count)[0][0]


def test_without_a_clock_the_views_have_no_condition(org: Org) -> None:
    views = "SELECT sql FROM duckdb_views() WHERE schema_name = 'org'"
    assert any("WHERE" in sql for (sql,) in org.execute(views)[1])
    org.move_clock({"now": None})
    assert not any("WHERE" in sql or "CASE" in sql for (sql,) in org.execute(views)[1])
    assert asked(org, f"SELECT count(*) FROM {STEPS}")[0][0] == value(
        org, f"SELECT count(*) FROM {STEPS}"
    )
    assert value(org, "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'truth'") == 0


@pytest.mark.parametrize("lags", [*LAGS.values(), WORST], ids=[*LAGS, "worst"])
def test_the_shares_of_a_distribution_make_one_and_its_bands_follow_each_other(lags: Lags) -> None:
    for bands in (lags.landing, *(rewrite.lag for rewrite in lags.rewrites)):
        assert sum(band.share for band in bands) == pytest.approx(1)
        ends = [timedelta(0), *(band.most for band in bands[:-1])]
        assert all(end is not None and end <= b.least for end, b in zip(ends, bands, strict=True))
