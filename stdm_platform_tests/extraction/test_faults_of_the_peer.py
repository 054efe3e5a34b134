"""E1 to E8 of section 8.2 of the Data 360 page: the fewest rows on which the first seed goes wrong.

Each test runs its way (`peer.py`) and ours on the same org, and holds what each one has afterwards.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from stdm_platform.catalog import dmo
from stdm_platform.extraction import extract_plan, extract_trees, plan_now
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.conversations import conversation, put, tree_keys
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.peer import Peer, keys, row, tick
from stdm_platform_tests.extraction.world import (
    DAY,
    MOMENTS,
    NEXT,
    NOW,
    SESSIONS,
    STEPS,
    extract,
    held,
    on,
)

INTERACTIONS = dmo("interactions")
SETTLED = on(DAY, 24 * 8)


def test_a_day_is_files_of_its_own_that_another_day_leaves_alone(
    org: FakeOrg, lake: Lake, tmp_path: Path
) -> None:
    """E1: one `data.parquet` for all days; each run writes all of history again."""
    org.put(SESSIONS, [row(SESSIONS, "s1", on(DAY)), row(SESSIONS, "s2", on(NEXT))])
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    peer.write(tmp_path)
    (whole,) = tmp_path.glob("sessions/*.parquet")
    before = whole.read_bytes()
    peer.tick(on(NEXT, 24), on(NEXT, 24))
    peer.write(tmp_path)
    assert whole.read_bytes() != before

    extract(org, lake, days=[DAY])
    (file,) = lake.windows("sessions", DAY)
    inode = file.path.stat().st_ino
    extract(org, lake, days=[NEXT])
    assert file.path.stat().st_ino == inode
    assert [held(lake, day=day)[0]["session_id"] for day in (DAY, NEXT)] == ["s1", "s2"]


def test_no_statement_grows_with_the_sessions_and_an_id_is_never_sql(
    org: FakeOrg, lake: Lake
) -> None:
    """E2: all ids in one unescaped IN list: it grows with history, and one odd id breaks it."""
    ids = [f"s{number}" for number in range(50)]
    org.put(SESSIONS, [row(SESSIONS, each, on(DAY)) for each in ids])
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    assert all(f"'{each}'" in peer.asked[-1] for each in ids)

    extract(org, lake, SESSIONS, INTERACTIONS)
    lengths = {len(sql) for sql in org.sql if "CAST(?" in sql}
    assert not any(f"'{each}'" in sql for sql in org.sql[2:] for each in ids)
    assert max(lengths) < 2 * min(lengths)

    put(org, conversation("o'hara"))
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    assert [type(error).__name__ for error in peer.errors] == ["QueryError"]
    assert "steps" not in peer.tables
    extract_trees(org, lake, ["o'hara"], now=NOW)
    assert len((tree_keys(lake, "o'hara") or {})["steps"]) == 6


def test_a_row_that_lands_late_is_held(org: FakeOrg, lake: Lake) -> None:
    """E3: the mark is the wall clock at the end of the run, and rows land hours behind their clock."""
    peer = Peer(org)
    for hour in (3, 6):
        peer.tick(on(DAY, hour), on(DAY, hour))
        tick(org, lake, on(DAY, hour))
    org.put(SESSIONS, [row(SESSIONS, "late", on(DAY, 2))])
    for hour in (9, 30):
        peer.tick(on(DAY, hour), on(DAY, hour))
        tick(org, lake, on(DAY, hour))
    assert peer.tables["sessions"] == {}
    assert keys(lake) == ["late"]


def test_a_session_that_starts_while_a_run_is_at_work_is_held(org: FakeOrg, lake: Lake) -> None:
    """E4: read up to the start of the run, marked up to its end: what began in between is in no run."""
    org.put(SESSIONS, [row(SESSIONS, "between", on(DAY, 3.5))])
    peer = Peer(org)
    peer.tick(on(DAY, 3), on(DAY, 4))
    peer.tick(on(DAY, 6), on(DAY, 7))
    assert peer.tables["sessions"] == {}
    for hour in (3, 6):
        tick(org, lake, on(DAY, hour))
    assert keys(lake) == ["between"]


def test_an_empty_answer_gives_nothing_up_for_good(org: FakeOrg, lake: Lake) -> None:
    """E5: a stream that lags answers nothing, and the mark moves on over the whole of it."""
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    tick(org, lake, on(DAY, 24))
    assert [file.evidence().rows for file in lake.windows("sessions", DAY)] == [0]
    org.put(SESSIONS, [row(SESSIONS, f"s{hour}", on(DAY, hour)) for hour in (1, 12)])
    peer.tick(on(NEXT, 24), on(NEXT, 24))
    tick(org, lake, on(NEXT, 24))
    assert peer.tables["sessions"] == {}
    assert keys(lake) == ["s1", "s12"]


def test_what_is_filled_in_later_is_read_again(org: FakeOrg, lake: Lake) -> None:
    """E6: only sessions that started since the mark are asked for: an end that comes later never comes."""
    open_one = row(SESSIONS, "s", on(DAY, 1), end_type="NOT_SET")
    org.put(SESSIONS, [open_one])
    peer = Peer(org)
    peer.tick(on(DAY, 3), on(DAY, 3))
    tick(org, lake, on(DAY, 3))
    org.put(SESSIONS, [{**open_one, "end_type": "USER_ENDED", "ended_at": on(DAY, 5)}])
    for now in (on(DAY, 6), on(DAY, 30), SETTLED):
        peer.tick(now, now)
        tick(org, lake, now)
    assert peer.tables["sessions"]["s"]["end_type"] == "NOT_SET"
    assert held(lake)[0]["end_type"] == "USER_ENDED"


def test_a_tick_asks_nothing_of_days_that_are_final(org: FakeOrg, lake: Lake) -> None:
    """E7: each run asks for the children of all sessions of history again."""
    later = DAY + timedelta(days=8)
    org.put(SESSIONS, [row(SESSIONS, "old", on(DAY)), row(SESSIONS, "new", on(later, 6))])
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    peer.tick(on(later, 12), on(later, 12))
    assert "'old'" in peer.asked[-1]

    tick(org, lake, on(later, 5), SESSIONS, INTERACTIONS)
    settled = lake.windows("interactions", DAY)
    assert all(file.settled for file in settled)
    plan = plan_now(lake, now=on(later, 12), start=DAY, dmos=[SESSIONS, INTERACTIONS])
    assert min(each.window.day for each in plan.due) > DAY
    extract_plan(org, lake, plan)
    assert lake.windows("interactions", DAY) == settled


def test_objects_are_read_whatever_another_one_answered(org: FakeOrg, lake: Lake) -> None:
    """E8: no turns, and moments are left out; the steps of an earlier run stay and look current."""
    put(org, conversation("s", at=on(DAY, 1)))
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    extract(org, lake, INTERACTIONS, STEPS, MOMENTS)
    org.put(INTERACTIONS, [])
    org.put(STEPS, [])
    org.put(MOMENTS, [row(MOMENTS, "m2", on(DAY), session_id="s")])
    peer.tables["interactions"] = {}
    peer.children()
    assert ("m2" in peer.tables["moments"], len(peer.tables["steps"])) == (False, 6)
    extract(org, lake, INTERACTIONS, STEPS, MOMENTS)
    assert (keys(lake, MOMENTS), keys(lake, STEPS)) == (["m2"], [])
    assert lake.windows("steps", DAY)[0].evidence().rows == 0
