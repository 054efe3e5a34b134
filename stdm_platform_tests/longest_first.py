"""In which order files of tests are handed out: the long ones first, so that none is left at the end.

Belongs here: files that take more than about 15 s, longest first. Does not: marks of tests. Left to
itself, pytest-xdist begins with the files of many tests, and those of one long test come last.
"""

from __future__ import annotations

import pytest

LONGEST = (
    "end_to_end/test_demo.py",
    "faults/test_file_operations.py",
    "simulation/test_seeds_one.py",
    "simulation/test_seeds_two.py",
    "simulation/test_marts_on_the_way.py",
    "marts/test_builds.py",
    "simulation/test_over_http.py",
    "faults/test_kills.py",
    "orchestration/test_served_platform.py",
    "orchestration/test_watermark_sensor.py",
    "faults/test_permanent.py",
    "faults/test_two_at_once.py",
    "end_to_end/test_insight_commands.py",
    "end_to_end/test_command_contract.py",
    "end_to_end/test_range_with_a_refused_day.py",
    "faults/test_requests_json.py",
    "faults/test_requests_arrow.py",
    "test_house_rules.py",
    "faults/test_mutations.py",
    "extraction/test_sandbox_org.py",
    "orchestration/test_dev.py",
    "end_to_end/test_whole_sessions.py",
    "end_to_end/test_reading_again.py",
    "sandbox/test_sandbox_life.py",
    "data360/test_another_org.py",
    "end_to_end/test_transcripts.py",
    "end_to_end/test_text_none.py",
    "end_to_end/test_absent_parts.py",
    "end_to_end/test_ticks.py",
    "end_to_end/test_open_reader.py",
    "extraction/test_trees.py",
    "data360/test_against_sandbox.py",
    "faults/test_canary.py",
    "extraction/test_simulation.py",
)
RANK = {name: number for number, name in enumerate(LONGEST)}


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests with those of long files first; those of one file stay as they are."""
    return sorted(
        items, key=lambda item: RANK.get(item.nodeid.split("::")[0].partition("/")[2], len(RANK))
    )
