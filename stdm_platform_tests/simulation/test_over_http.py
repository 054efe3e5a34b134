"""One seed over HTTP, three days of hourly ticks: the real client and command, the clock of a sandbox org."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from stdm_platform_tests.parsed import lend_parse
from stdm_platform_tests.session_objects import SESSION_DMOS
from stdm_platform_tests.simulation.landing import HOUR
from stdm_platform_tests.simulation.lives import START
from stdm_platform_tests.simulation.over_http import Chances, HttpStory, instants
from stdm_platform_tests.simulation.proof import (
    MOST_ROUGH,
    assert_each_day_is_one_settled_window,
    assert_is_the_source,
)
from stdm_platform_tests.simulation.story import STILL
from stdm_platform_tests.simulation.truth import billed, source_of

DAYS = 3
FIXED = {30: "killed", 45: "doubled", 52: "restarted", 66: "killed"}
"""Each process takes seconds to start, so there are few."""


def test_over_http_the_lake_is_the_source_though_processes_and_the_org_end(data_dir: Path) -> None:
    with HttpStory(data_dir, START, DAYS, 4, seed=4, chances=Chances(skipped=0.6)) as story:
        lend_parse(story.data_dir)
        story.run(instants(START, DAYS, HOUR, STILL), fixed=FIXED)
        story.finish(story.end + timedelta(days=7, hours=1))
        sources = {dmo.name: source_of(story.org, dmo) for dmo in SESSION_DMOS}
        processed = billed(story.org, SESSION_DMOS, story.asked)
    assert_is_the_source(story.data_dir, sources, SESSION_DMOS)
    assert_each_day_is_one_settled_window(story.data_dir, story.wanted, SESSION_DMOS)
    assert not story.broken, "\n".join(story.broken)
    ratios = {name: processed[name] / rows.height for name, rows in sources.items()}
    print(dict(story.happened), ratios)
    assert max(ratios.values()) <= MOST_ROUGH, ratios
    assert story.happened["killed"]
    assert story.happened["doubled"]
    assert story.happened["restarts"]
