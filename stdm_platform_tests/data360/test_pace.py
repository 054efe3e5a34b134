"""How much is asked for at once: requests by what the org takes, answers by what memory holds."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from stdm_platform.data360.ahead import Ahead
from stdm_platform.data360.answers import SPILL_BYTES
from stdm_platform.data360.ranges import in_order
from stdm_platform.data360.slots import Slots
from stdm_platform_tests.data360.fake_org import FakeOrg, instead

MIB = 1024 * 1024


def test_a_refusal_halves_the_requests_and_answers_bring_them_back() -> None:
    slots = Slots(8)
    with slots.taken() as one, slots.taken() as another:
        slots.refused(one)
        slots.refused(another)  # of the same moment: one refusal
    assert slots.cap == 4
    for _ in range(3):
        with slots.taken() as cuts:
            slots.refused(cuts)
    assert slots.cap == 1
    for _ in range(200):
        slots.answered()
    assert slots.cap == 8


def test_never_more_requests_than_the_cap_are_in_flight() -> None:
    slots, lock = Slots(4), threading.Lock()
    now, most = 0, 0
    with slots.taken() as cuts:
        slots.refused(cuts)

    def request(_: int) -> None:
        nonlocal now, most
        with slots.taken():
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.002)
            with lock:
                now -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(request, range(24)))
    assert most == 2


def test_a_429_of_the_org_lowers_the_requests_in_flight_of_its_client() -> None:
    org = FakeOrg(rows=40, chunks=[10] * 4)
    org.bend("v3.chunk", instead(429), when=1)
    caps = []
    with org.client(transport="arrow", requests_in_flight=8) as client:
        for _ in client.query("SELECT 1").batches():
            caps.append(client._requester._slots.cap)
        assert caps
        assert min(caps) < 8


def test_answers_are_asked_ahead_as_far_as_memory_reaches() -> None:
    ahead = Ahead(15, budget=8 * SPILL_BYTES)
    with ahead.reading() as share:
        assert share.allowed == 8  # nothing known: as if each were as large as can be
        share.took(SPILL_BYTES // 2)
        assert share.allowed == 15
        with ahead.reading() as other:
            assert (share.allowed, other.allowed) == (8, 4)
            share.took(100 * SPILL_BYTES)  # waits in a file
            assert share.allowed == 4
        assert share.allowed == 8
    with Ahead(4, budget=1).reading() as poor:
        assert poor.allowed == 1


def test_large_answers_of_several_results_stay_within_the_budget() -> None:
    ahead = Ahead(4, budget=60 * MIB)
    begun = [0, 0]

    def task(which: int) -> int:
        begun[which] += 1
        return 10 * MIB

    with ThreadPoolExecutor(4) as pool:
        results = [
            in_order(
                pool, [lambda which=which: task(which)] * 40, ahead=ahead, size=lambda size: size
            )
            for which in (0, 1)
        ]
        for taken in range(1, 21):
            for result in results:
                next(result)
            # Three of ten MiB each, and the one that each gives away.
            assert all(count <= taken + 3 for count in begun)
        for result in results:
            result.close()  # type: ignore[attr-defined]
