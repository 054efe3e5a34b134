"""E9 to E16 of section 8.2 of the Data 360 page: the fewest rows on which the first seed goes wrong.

Each test runs its way (`peer.py`) and ours on the same org, and holds what each one has afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from stdm_platform.catalog import dmo
from stdm_platform.errors import UnavailableError
from stdm_platform.extraction import (
    extract_range,
    extract_trees,
    find_sessions_of_agent,
    plan_now,
    windows_for_range,
    windows_of_days,
)
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.conversations import conversation, put, together
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.peer import Peer, keys, row, tick
from stdm_platform_tests.extraction.world import DAY, NEXT, NOW, SESSIONS, STEPS, extract, held, on

PARTICIPANTS, MESSAGES, GENERATIONS = dmo("participants"), dmo("messages"), dmo("generations")
QUALITY, CATEGORIES = dmo("content_quality"), dmo("content_categories")
SETTLED = on(DAY, 24 * 8)
DAY_LONG = timedelta(days=1)


def test_one_agent_asked_for_is_one_agent_read(org: FakeOrg, lake: Lake) -> None:
    """E9: `--agent` prints a warning, and everything is extracted."""
    put(
        org,
        together(
            conversation("mine", at=on(DAY)), conversation("other", agent="Returns", at=on(DAY))
        ),
    )
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24), agent="Order_Support")
    assert set(peer.tables["sessions"]) == {"mine", "other"}
    wanted = find_sessions_of_agent(org, "Order_Support", on(DAY, 0), on(DAY, 24))
    extract_trees(org, lake, wanted, now=NOW)
    assert wanted == ["mine"]
    assert (lake.tree("mine") is None, lake.tree("other") is None) == (False, True)  # fmt: skip


def test_a_day_that_failed_is_no_day_that_is_held(org: FakeOrg, lake: Lake) -> None:
    """E10: errors are collected, and what was written looks like any other run."""
    put(org, conversation("s", at=on(DAY, 1)))

    def steps_are_down(sql: str) -> None:
        if STEPS.objects[0] in sql and "LIMIT 0" not in sql:
            raise UnavailableError("no answer.")

    org.before = steps_are_down
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    assert (len(peer.errors), peer.watermark) == (1, on(DAY, 24))
    outcomes = extract(org, lake, SESSIONS, STEPS)
    assert [each.status for each in outcomes] == ["published", "failed"]
    assert "steps of 2026-01-14" in str(outcomes[1].error)
    assert (lake.days("sessions"), lake.days("steps")) == ([DAY], [])
    org.before = lambda sql: None
    due = plan_now(lake, now=NOW, start=DAY, dmos=[STEPS]).due
    assert due[0].window.day == DAY


def test_messages_are_messages(org: FakeOrg, lake: Lake) -> None:
    """E11: what it calls messages are moments: empty where no Agent Optimization is, and no message."""
    put(org, {**conversation("s", at=on(DAY, 1)), "moments": []})
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    assert peer.tables["moments"] == {}
    assert "messages" not in peer.tables
    assert "participants" not in peer.tables
    extract(org, lake, MESSAGES, PARTICIPANTS)
    assert (len(held(lake, MESSAGES)), len(held(lake, PARTICIPANTS))) == (3, 2)


def audited(org: FakeOrg, *generations: str) -> None:
    """A session whose steps name these generations, each with a verdict and a category."""
    rows = conversation("s", at=on(DAY, 1))
    for step, generation in zip(rows["steps"], generations, strict=False):
        step["generation_id"] = generation
    rows["steps"] = rows["steps"][: len(generations)]
    put(org, rows)
    org.put(
        CATEGORIES,
        [row(CATEGORIES, f"c-{each}", on(DAY, 1), parent_id=each) for each in generations],
    )


def test_a_sentinel_is_no_generation(org: FakeOrg, lake: Lake) -> None:
    """E12: `NOT_SET`, on most steps, is asked for as if it were an id."""
    audited(org, "g1", "NOT_SET")
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    peer.quality()
    assert "'NOT_SET'" in peer.asked[-1]
    before = len(org.sql)
    given: list[Any] = []
    query = org.query

    def noted(sql: str, parameters: Any = (), **more: Any) -> Any:
        given.extend(each.value for each in parameters)
        return query(sql, parameters, **more)

    org.query = noted  # type: ignore[method-assign]
    extract_trees(org, lake, ["s"], now=NOW)
    assert "g1" in given
    assert "NOT_SET" not in given
    assert not any("NOT_SET" in sql for sql in org.sql[before:])


def test_verdicts_are_read_where_no_generation_is_kept(org: FakeOrg, lake: Lake) -> None:
    """E13: no row of generations, and neither quality nor categories are asked for."""
    audited(org, "g1")
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    peer.quality()
    assert "content_categories" not in peer.tables
    extract(org, lake, GENERATIONS, QUALITY, CATEGORIES)
    assert (keys(lake, GENERATIONS), keys(lake, CATEGORIES)) == ([], ["c-g1"])


def test_verdicts_of_a_day_are_read_once_and_stay(org: FakeOrg, lake: Lake) -> None:
    """E14: verdicts of all history are read again and written over; those that the org dropped are gone."""
    audited(org, "g1")
    org.put(GENERATIONS, [row(GENERATIONS, "g1", on(DAY, 1))])
    peer = Peer(org)
    peer.tick(on(DAY, 24), on(DAY, 24))
    peer.quality()
    assert list(peer.tables["content_categories"]) == ["c-g1"]
    tick(org, lake, SETTLED, CATEGORIES)
    org.put(CATEGORIES, [])  # audit data is short-lived (section 6.2)
    peer.quality()
    assert peer.tables["content_categories"] == {}
    tick(org, lake, SETTLED + DAY_LONG, CATEGORIES)
    assert keys(lake, CATEGORIES) == ["c-g1"]


def test_a_time_means_its_zone_and_keeps_its_milliseconds(org: FakeOrg, lake: Lake) -> None:
    """E15: ten o'clock in Rome is stamped as ten in Greenwich, and 59.7 s as 59 s."""
    org.put(
        SESSIONS,
        [
            row(SESSIONS, "rome", on(DAY, 9.5)),
            row(SESSIONS, "ms", on(DAY, 12) - timedelta(milliseconds=400)),
        ],
    )
    peer = Peer(org)
    peer.watermark = datetime.fromisoformat("2026-01-14T10:00:00+01:00")
    peer.tick(on(DAY, 12) - timedelta(milliseconds=300), on(DAY, 12))
    assert peer.tables["sessions"] == {}
    windows = windows_for_range("2026-01-14T10:00:00+01:00", "2026-01-14T11:59:59.700Z", None, NOW)
    extract(org, lake, windows=windows)
    assert keys(lake) == ["ms", "rome"]
    assert held(lake)[0]["started_at"] == on(DAY, 12) - timedelta(milliseconds=400)


def test_two_runs_at_once_lose_nothing_and_a_stopped_one_goes_on(org: FakeOrg, lake: Lake) -> None:
    """E16: no lock: of two runs that read, append and write, one is lost. No checkpoint either."""
    org.put(SESSIONS, [row(SESSIONS, "s1", on(DAY)), row(SESSIONS, "s2", on(NEXT))])
    first, second = Peer(org), Peer(org)
    first.watermark, second.watermark = on(DAY, 0), on(NEXT, 0)
    first.tick(on(DAY, 24), on(DAY, 24))
    second.tick(on(NEXT, 24), on(NEXT, 24))
    written: dict[str, dict[str, Any]] = {}
    for peer in (first, second):  # both had read the file before either wrote it
        written |= {"sessions": peer.tables["sessions"]}
    assert set(written["sessions"]) == {"s2"}

    def run(day: date) -> None:
        extract_range(
            org, Lake(lake.data_dir), [SESSIONS], windows_of_days([DAY, day], NOW), now=NOW
        )

    threads = [threading.Thread(target=run, args=(day,)) for day in (DAY, NEXT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keys(lake) == ["s1", "s2"]

    stopped = Lake(lake.data_dir.parent / "stopped")
    org.before = fails_at_the_second_window()
    outcomes = extract(org, stopped, days=[DAY, NEXT], workers=1)
    assert [each.status for each in outcomes] == ["published", "failed"]
    org.before = lambda sql: None
    assert [each.status for each in extract(org, stopped, days=[DAY, NEXT])] == [
        "kept",
        "published",
    ]


def fails_at_the_second_window() -> Callable[[str], None]:
    asked = count()

    def before(sql: str) -> None:
        if "CAST(?" in sql and next(asked) == 1:
            raise UnavailableError("no answer.")

    return before
