"""Sixty days of an org in which nothing is wrong, in figures; and two faults to put into them.

Weekday rhythm, growth, holidays (one day, two in a row, half a day), a new agent, chance from day to
day and between the objects, rows that land late, differently by object and day.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import exp, sqrt

DAYS, FIRST = 60, date(2026, 1, 5)
AGES = ("1 h", "24 h", "72 h", "7 d")
PER_SESSION = {"sessions": 1.0, "participants": 2.1, "interactions": 4.3, "steps": 17.0, "messages": 8.5, "moments": 1.6}  # fmt: skip
LANDED = {  # share of the rows that is there at each age
    "sessions": (0.985, 1.0, 1.0, 1.0), "participants": (0.98, 1.0, 1.0, 1.0),
    "interactions": (0.72, 0.93, 0.99, 1.0), "steps": (0.70, 0.93, 0.99, 1.0),
    "messages": (0.72, 0.93, 0.99, 1.0), "moments": (0.55, 0.95, 0.99, 1.0),
}  # fmt: skip


@dataclass
class Life:
    """The rows of each object, age and day."""

    seed: int
    sessions_a_day: float = 2_000.0
    weekend: float = 0.45
    growth: float = 0.006
    noise: float = 0.04
    holidays_after: int = 14
    holidays: dict[date, float] = field(default_factory=dict)
    rows: dict[str, dict[str, dict[date, int]]] = field(default_factory=dict)
    nulls: dict[date, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        chance = self._chance
        self.rows = {age: {name: {} for name in PER_SESSION} for age in AGES}
        first = -(-self.holidays_after // 7)
        mondays = [FIRST + timedelta(weeks=week) for week in range(first, 8)]
        one, two, half = (chance.choice(mondays) for _ in range(3))
        # The less an org follows the week, the less it follows the calendar.
        follows = min(1.0, (1 - self.weekend) / 0.55)
        quiet = self.weekend * (1 - follows * chance.uniform(-0.05, 0.4))
        self.holidays = {
            one: quiet, two + timedelta(days=2): quiet, two + timedelta(days=3): quiet,
            half + timedelta(days=4): 0.8,
        }  # fmt: skip
        self._new_agent = chance.randrange(self.holidays_after + 1, 50)
        for place in range(DAYS):
            self._live(FIRST + timedelta(days=place), place)

    def _live(self, day: date, place: int) -> None:
        chance, level = self._chance, self.sessions_a_day * (1 + self.growth) ** place
        level *= {4: 0.92, 5: self.weekend, 6: self.weekend * 0.9}.get(day.weekday(), 1.0)
        agents = [(level * self.holidays.get(day, 1.0), PER_SESSION)]
        if place >= self._new_agent:  # half as much again, and its conversations are shorter
            agents.append(
                (agents[0][0] * 0.5, {n: 1 + (r - 1) * 0.7 for n, r in PER_SESSION.items()})
            )
        common = exp(chance.gauss(0, self.noise))
        held = [(max(0.0, chance.gauss(n * common, sqrt(n * common))), r) for n, r in agents]
        for name in PER_SESSION:
            mean = sum(sessions * ratio[name] for sessions, ratio in held)
            own = 0.0 if name == "sessions" else 0.02 + 0.6 / sqrt(1 + sum(n for n, _ in held))
            count = mean * exp(chance.gauss(0, own))
            for age, share in zip(AGES, LANDED[name], strict=True):
                late = (1 - share) * exp(chance.gauss(0, 0.25))
                self.rows[age][name][day] = round(count * (1 - min(late, 1.0)))
        whole = self.rows["7 d"]["steps"][day]
        share = min(1.0, 0.01 * exp(chance.gauss(0, 0.4)))
        self.nulls[day] = (round(whole * share), whole)

    def lose(self, name: str, day: date, *, keep: float = 0.6) -> None:
        """From that day on a share of an object's rows is not there; of all objects for "all"."""
        for of_age in self.rows.values():
            for each, counts in of_age.items():
                for later in counts:
                    if name in (each, "all") and later >= day:
                        counts[later] = round(counts[later] * keep)

    def empty(self, day: date, *, share: float = 0.2) -> None:
        """From that day on a column has no value in a share of the rows."""
        for later, (_, whole) in self.nulls.items():
            if later >= day:
                self.nulls[later] = (round(whole * share), whole)
