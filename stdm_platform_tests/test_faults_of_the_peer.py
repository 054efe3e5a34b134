"""Where each fault of the first seed (sections 8.2 and 8.3 of the Data 360 page) is worked out by hand.

The test of a fault names its number at the start of its docstring; this table names the test.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
READING = "extraction/test_faults_of_the_peer.py"
READING_ON = "extraction/test_further_faults_of_the_peer.py"
FIGURES = "marts/test_faults_of_the_peer.py"
ANSWERS = "insight/test_faults_of_the_peer.py"
WORKED = {
    "A1": (ANSWERS, "test_sessions_can_be_counted"),
    "A2": (FIGURES, "test_sessions_that_ended_badly_are_told_by_the_signs_that_orgs_give"),
    "A3": (FIGURES, "test_the_detector_is_found_as_it_is_written"),
    "A4": (FIGURES, "test_the_safest_text_is_not_toxic"),
    "A5": (FIGURES, "test_a_toxic_category_belongs_to_the_session_of_its_generation"),
    "A6": (FIGURES, "test_a_text_with_a_verdict_and_categories_counts_once"),
    "A7": (FIGURES, "test_a_generation_on_two_steps_counts_once"),
    "A8": (FIGURES, "test_a_verdict_is_read_from_its_field_and_not_found_in_the_text"),
    "A9": (FIGURES, "test_a_share_is_of_the_sessions_that_were_validated"),
    "A10": (FIGURES, "test_a_verdict_that_is_missing_or_unsure_is_no_failure"),
    "A11": (ANSWERS, "test_a_count_is_of_all_and_not_of_those_shown"),
    "A12": (ANSWERS, "test_what_nobody_extracted_is_no_zero"),
    "A13": (FIGURES, "test_a_topic_is_one_whatever_planner_answered"),
    "A14": (FIGURES, "test_a_session_without_turns_counts_in_the_mean"),
    "A15": (FIGURES, "test_events_stand_in_the_order_of_time"),
    "A16": (ANSWERS, "test_an_empty_answer_has_the_types_of_a_full_one"),
    "A17": (FIGURES, "test_what_was_said_is_whole_and_without_escapes"),
    "A18": (FIGURES, "test_a_link_survives_any_name_and_title"),
    "E1": (READING, "test_a_day_is_files_of_its_own_that_another_day_leaves_alone"),
    "E2": (READING, "test_no_statement_grows_with_the_sessions_and_an_id_is_never_sql"),
    "E3": (READING, "test_a_row_that_lands_late_is_held"),
    "E4": (READING, "test_a_session_that_starts_while_a_run_is_at_work_is_held"),
    "E5": (READING, "test_an_empty_answer_gives_nothing_up_for_good"),
    "E6": (READING, "test_what_is_filled_in_later_is_read_again"),
    "E7": (READING, "test_a_tick_asks_nothing_of_days_that_are_final"),
    "E8": (READING, "test_objects_are_read_whatever_another_one_answered"),
    "E9": (READING_ON, "test_one_agent_asked_for_is_one_agent_read"),
    "E10": (READING_ON, "test_a_day_that_failed_is_no_day_that_is_held"),
    "E11": (READING_ON, "test_messages_are_messages"),
    "E12": (READING_ON, "test_a_sentinel_is_no_generation"),
    "E13": (READING_ON, "test_verdicts_are_read_where_no_generation_is_kept"),
    "E14": (READING_ON, "test_verdicts_of_a_day_are_read_once_and_stay"),
    "E15": (READING_ON, "test_a_time_means_its_zone_and_keeps_its_milliseconds"),
    "E16": (READING_ON, "test_two_runs_at_once_lose_nothing_and_a_stopped_one_goes_on"),
}


@pytest.mark.parametrize("number", WORKED)
def test_the_named_test_exists_and_names_the_fault(number: str) -> None:
    path, name = WORKED[number]
    module = ast.parse((TESTS / path).read_text())
    (test,) = [
        each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == name
    ]
    assert (ast.get_docstring(test) or "").startswith(f"{number}:")


def test_every_fault_of_the_page_has_one() -> None:
    assert set(WORKED) == {f"A{n}" for n in range(1, 19)} | {f"E{n}" for n in range(1, 17)}
