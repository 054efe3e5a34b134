"""What is usual for a day: no false alarm in sixty normal days, and faults told within a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from stdm_platform.guard.judgement import Judgement
from stdm_platform.guard.ranges import judge_rows
from stdm_platform.guard.shares import judge_share
from stdm_platform_tests.guard.normal_life import DAYS, FIRST, PER_SESSION, Life

AGE = "24 h"
NULLS = {"margin": 0.1, "trait": "have no value"}
LIVES = [
    Life(1), Life(2, weekend=0.25, growth=0.015), Life(3, weekend=0.85, growth=-0.005),
    Life(4, sessions_a_day=60), Life(5, weekend=0.02), Life(6, sessions_a_day=400, noise=0.07),
    Life(3), Life(16),
]  # fmt: skip
"""In the last but one an agent begins on the second of two holidays."""
SATURDAY, WEDNESDAY = FIRST + timedelta(days=33), FIRST + timedelta(days=37)


def judged(life: Life, name: str, day: date, age: str = AGE) -> Judgement | None:
    """As on that day: nothing later is known."""
    of_age = life.rows[age]
    known = {each: {d: n for d, n in of_age[each].items() if d <= day} for each in of_age}
    return judge_rows(known.pop(name), day, [*known.values()])


def shares(life: Life, day: date) -> Judgement | None:
    return judge_share({d: n for d, n in life.nulls.items() if d <= day}, day, **NULLS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("life", "age"),
    [*((life, "24 h") for life in LIVES), *((life, "7 d") for life in LIVES[:3])],
    ids=lambda each: each if isinstance(each, str) else str(each.seed),
)
def test_sixty_normal_days_give_no_alarm(life: Life, age: str) -> None:
    days = [FIRST + timedelta(days=place) for place in range(DAYS)]
    found = [judged(life, name, day, age) for name in PER_SESSION for day in days]
    found += [shares(life, day) for day in days]
    assert [each.sentence for each in found if each and each.fired] == []
    assert sum(each is not None for each in found) > 0.5 * len(found), "most days are judged"


@pytest.mark.parametrize("name", PER_SESSION)
@pytest.mark.parametrize("day", [SATURDAY, WEDNESDAY])
@pytest.mark.parametrize("seed", [7, 8])
def test_an_object_that_lacks_two_fifths_of_its_rows_is_told_on_the_day(
    seed: int, day: date, name: str
) -> None:
    life = Life(seed, holidays_after=45)
    before = judged(life, name, day)
    assert before is not None
    assert not before.fired
    life.lose(name, day)
    after = judged(life, name, day)
    assert after is not None
    assert after.fired
    assert f"s held {min_of(life, name, day):,} to" in after.sentence
    assert "The other objects of the day did not fall alike." in after.sentence
    others = [judged(life, other, day) for other in PER_SESSION if other != name]
    assert not any(each.fired for each in others if each), "only the object that lacks rows"


def min_of(life: Life, name: str, day: date) -> int:
    """The fewest rows of the same weekday in the weeks before."""
    weeks = (day - timedelta(weeks=week) for week in range(1, 7))
    return min(life.rows[AGE][name][each] for each in weeks if each >= FIRST)


WEEK = [FIRST + timedelta(days=35 + weekday) for weekday in range(7)]
KINDS: dict[str, tuple[dict[str, float], int, int]] = {
    "default": ({}, 13, 14),
    "quiet weekends": ({"weekend": 0.25, "growth": 0.015}, 13, 14),
    "no week": ({"weekend": 1.0}, 14, 14),
    "weekends of three fifths": ({"weekend": 0.6}, 4, 14),
    "400 sessions a day": ({"sessions_a_day": 400}, 7, 10),
}
"""Of two orgs of a kind and seven weekdays: on how many days a warning, and a note, is demanded."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_fall_of_all_objects_by_two_fifths_is_told_within_the_day(kind: str) -> None:
    """On one object at least: sessions. What may be a holiday is noted, and says so."""
    given, warned, noted = KINDS[kind]
    found = []
    for seed in (1, 7):
        for day in WEEK:
            life = Life(seed, holidays_after=45, **given)  # type: ignore[arg-type]
            assert not (usual := judged(life, "sessions", day)) or not (usual.fired or usual.noted)
            life.lose("all", day)
            judgement = judged(life, "sessions", day)
            assert judgement is not None
            found.append(judgement)
            if judgement.fired:
                assert "No weekday and no holiday is usually like that." in judgement.sentence
            elif judgement.noted:
                assert "as quiet as on a holiday" in judgement.sentence
    assert sum(each.fired for each in found) >= warned
    assert sum(each.fired or each.noted for each in found) >= noted


def test_an_org_whose_days_differ_too_much_says_what_it_cannot_tell() -> None:
    life = Life(4, sessions_a_day=60, holidays_after=45)
    life.lose("all", WEDNESDAY)
    found = judged(life, "sessions", WEDNESDAY)
    assert found is not None
    assert not found.fired
    assert "by chance, so a fall of all objects that is less than" in found.sentence
    sharp = judged(Life(1, holidays_after=45), "sessions", WEDNESDAY)
    assert sharp is not None
    assert "by chance" not in sharp.sentence


@pytest.mark.parametrize("quietness", [0.3, 0.5, 0.6])
def test_a_holiday_of_any_org_is_no_alarm(quietness: float) -> None:
    """As quiet as its quietest weekday, or a quarter less."""
    for part in (0.75, 1.0):
        life = Life(7, holidays_after=45, weekend=quietness)
        life.lose("all", WEDNESDAY, keep=quietness * 0.9 * part)
        found = judged(life, "sessions", WEDNESDAY)
        assert found is not None
        assert (found.fired, found.noted) == (False, True), part


def test_a_day_like_a_holiday_is_noted_and_told_when_it_lasts_three_days() -> None:
    life = Life(7, holidays_after=45, weekend=0.6)
    life.lose("all", WEDNESDAY)
    first, _, third = (
        judged(life, "sessions", WEDNESDAY + timedelta(days=more)) for more in range(3)
    )
    assert first is not None
    assert third is not None
    assert (first.fired, first.noted, third.fired) == (False, True, True)
    assert "a warning if it lasts three days" in first.sentence
    assert "third such day" in third.sentence


def test_an_object_that_doubles_alone_is_told_and_growth_of_all_is_not() -> None:
    life = Life(7, holidays_after=45)
    life.lose("all", WEDNESDAY, keep=3.0)
    grown = judged(life, "messages", WEDNESDAY)
    assert grown is not None
    assert not grown.fired
    life.lose("messages", WEDNESDAY, keep=3.0)
    doubled = judged(life, "messages", WEDNESDAY)
    assert doubled is not None
    assert "did not rise alike" in doubled.sentence


@pytest.mark.parametrize("life", LIVES, ids=lambda life: str(life.seed))
def test_a_null_share_that_goes_from_one_to_twenty_percent_is_told_on_the_day(life: Life) -> None:
    was = dict(life.nulls)
    try:
        life.empty(WEDNESDAY)
        found = shares(life, WEDNESDAY)
    finally:
        life.nulls = was
    assert found is not None
    assert found.fired
    assert "20.0% of" in found.sentence
    assert "in the last 28 days it was 0." in found.sentence


def test_a_history_too_short_or_too_small_gives_no_judgement() -> None:
    life = Life(7)
    assert judged(life, "sessions", FIRST + timedelta(days=13)) is None
    tiny = dict.fromkeys(life.nulls, 12)
    assert judge_rows(tiny, WEDNESDAY) is None
    assert shares(life, FIRST + timedelta(days=6)) is None


def test_a_day_without_rows_is_told_even_without_other_objects() -> None:
    life = Life(7, holidays_after=45)
    rows = {**life.rows[AGE]["sessions"], WEDNESDAY: 0}
    found = judge_rows({day: n for day, n in rows.items() if day <= WEDNESDAY}, WEDNESDAY)
    assert found is not None
    assert found.fired
