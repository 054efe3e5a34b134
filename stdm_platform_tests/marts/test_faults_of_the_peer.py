"""A2 to A18 of section 8.3 of the Data 360 page: the first seed's formulas on the rows of our unit tests.

Each test takes the fewest rows by hand on which the two differ from a unit test of a dbt model, reckons
the seed's value from them, and holds it beside what the unit test expects of ours. That ours
is so is shown by dbt, which runs the unit tests (`test_builds.py`). A1, A11, A12 and A16 are in `insight`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import polars as pl
import yaml

from stdm_platform.marts import DBT_PROJECT

Row = dict[str, Any]
FAILED = ("Completed", "Escalated", "Abandoned", "Failed")
"""End types that the seed knows; live rows say NOT_SET."""


@dataclass(frozen=True)
class Example:
    """A unit test of a model: the rows that it is given, by input, and those that it expects."""

    given: dict[str, list[Row]]
    expected: list[Row]


@cache
def example(model: str, name: str) -> Example:
    (path,) = DBT_PROJECT.glob(f"*/{model}.yml")
    tests = yaml.safe_load(path.read_text())["unit_tests"]
    (test,) = [each for each in tests if each["name"] == name]
    given = {each["input"].split("'")[-2]: rows_of(each["rows"]) for each in test["given"]}
    return Example(given, test["expect"]["rows"])


def rows_of(given: str | list[Row]) -> list[Row]:
    if isinstance(given, list):
        return given
    with duckdb.connect() as engine:
        return engine.sql(given).pl().to_dicts()


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


VERDICTS = ("int_verdicts", "every_signal_counts_each_text_once")


def toxic_categories(spelling: str) -> pl.DataFrame:
    """The seed's toxic categories, with the detector in this spelling."""
    categories = frame(example(*VERDICTS).given["stg_content_categories"])
    return categories.filter(
        pl.col("detector_type") == spelling,
        pl.col("category_value").cast(pl.Float64, strict=False) >= 0.5,
    )


def toxic_of_ours(**wanted: Any) -> list[Row]:
    return [
        row
        for row in example(*VERDICTS).expected
        if row["signal"] == "toxicity" and all(row[name] == value for name, value in wanted.items())
    ]


def test_sessions_that_ended_badly_are_told_by_the_signs_that_orgs_give() -> None:
    """A2: it looks for end types that no org serves: nobody ever failed, and every rate is 0."""
    test = example("session_outcome", "definitions_disagree_and_say_why")
    ends = [row["end_type"] for row in test.given["int_session_signs"]]
    assert [end for end in ends if end in FAILED] == []
    bad = {
        (row["session_id"], row["definition"])
        for row in test.expected
        if row["definition"] in ("judge", "router", "session_end_step")
        and row["outcome"] in ("escalated", "abandoned")
    }
    assert bad == {("s1", "router"), ("s2", "session_end_step"), ("s3", "judge")}


def test_the_detector_is_found_as_it_is_written() -> None:
    """A3: `Toxicity` is never served, `TOXICITY` is: no category ever counts."""
    assert toxic_categories("Toxicity").is_empty()
    assert {row["detection_id"] for row in toxic_of_ours() if row["category"]} == {"c2", "c5"}


def test_the_safest_text_is_not_toxic() -> None:
    """A4: 0.99 of `safety_score` is safe, and it takes it for 0.99 toxic."""
    flagged = toxic_categories("TOXICITY")
    assert set(flagged["category"]) == {"safety_score", "hate", "profanity"}
    assert {row["category"] for row in toxic_of_ours()} == {None, "hate", "profanity"}


def test_a_toxic_category_belongs_to_the_session_of_its_generation() -> None:
    """A5: the parent of a TOXICITY row is the score, q1, which it looks for among generations: g1."""
    owners = frame(example(*VERDICTS).given["int_generation_owners"])
    joined = toxic_categories("TOXICITY").join(
        owners, left_on="parent_id", right_on="generation_id", how="left"
    )
    assert joined["session_id"].null_count() == joined.height == 3
    (hate,) = toxic_of_ours(category="hate")
    assert (hate["session_id"], hate["turn_number"], hate["step_id"]) == ("s1", 3, "p0")


def test_a_text_with_a_verdict_and_categories_counts_once() -> None:
    """A6: the verdict of a text and each of its categories are rows of one list, and all count."""
    quality = frame(example(*VERDICTS).given["stg_content_quality"])
    verdicts = quality.filter(pl.col("is_toxicity_detected") == "true")
    assert verdicts.height + toxic_categories("TOXICITY").height == 5
    assert {row["detection_id"] for row in toxic_of_ours(is_counted=True)} == {"q1", "c5", "q3"}


def test_a_generation_on_two_steps_counts_once() -> None:
    """A7: a left join to steps by a generation id that two steps name doubles the detection."""
    test = example("int_generation_owners", "a_generation_belongs_to_the_first_step_that_names_it")
    toxic = pl.DataFrame({"generation_id": ["g1"]})
    steps = frame(test.given["int_nearby_steps"]).select("generation_id", "step_id")
    assert toxic.join(steps, on="generation_id", how="left").height == 2
    assert [(row["generation_id"], row["step_id"]) for row in test.expected] == [("g1", "p1")]


def test_a_verdict_is_read_from_its_field_and_not_found_in_the_text() -> None:
    """A8: UNGROUNDED in the text: misses NOT_GROUNDED and the newer step, takes what only mentions it."""
    test = example("stg_steps", "verdicts_are_read_from_their_field_in_every_encoding")
    steps = frame(test.given["steps"]).filter(pl.col("step_type") == "LLM_STEP")
    spoken = steps.filter(pl.col("output_value_text").str.contains("UNGROUNDED"))
    validations = spoken.filter(pl.col("step_name").str.contains("ReactValidationPrompt"))
    assert set(validations["step_id"]) == {"g1", "g3", "g6"}
    newer_too = spoken.filter(pl.col("step_name").str.contains("ValidationPrompt"))
    assert "g5" in set(
        newer_too["step_id"]
    )  # its reason mentions the word; its verdict is GROUNDED
    bad = ("UNGROUNDED", "NOT_GROUNDED")
    ours = {row["step_id"] for row in test.expected if row["groundedness_verdict"] in bad}
    assert ours == {"g1", "g2", "g3", "g4"}


def test_a_share_is_of_the_sessions_that_were_validated() -> None:
    """A9: one bad session of ten is 10 %, though only two were looked at, and that is half."""
    name = "shares_are_of_what_was_judged_and_nobody_looked_is_not_zero"
    test = example("quality_daily", name)
    verdicts = frame(test.given["int_verdicts"]).filter(signal="groundedness", is_flagged=True)
    assert verdicts["session_id"].n_unique() / len(test.given["session_summary"]) == 0.1
    (row,) = [row for row in test.expected if row["signal"] == "groundedness"]
    assert (row["flagged_session_share"], row["checked_sessions"], row["sessions"]) == (0.5, 2, 10)


def test_a_verdict_that_is_missing_or_unsure_is_no_failure() -> None:
    """A10: everything but the one word FULLY_RESOLVED is unresolved, NOT_SET too."""
    test = example("int_verdicts", "a_resolution_that_nobody_is_sure_of_is_unknown")
    served = [row["category"] or "NOT_SET" for row in test.given["stg_content_categories"]]
    assert sum(each != "FULLY_RESOLVED" for each in served) == 4
    judged = [row for row in test.expected if row["signal"] == "task_resolution"]
    flags = {row["detection_id"]: row["is_flagged"] for row in judged}
    assert flags == {"c1": False, "c2": True, "c3": True, "c4": None, "c5": None}


def test_a_topic_is_one_whatever_planner_answered() -> None:
    """A13: the raw name ends in the planner's: one topic counts once per planner and preview."""
    test = example("stg_interactions", "topics_lose_their_planner_suffix")
    raw = {row["topic_api_name"] for row in test.given["interactions"][:3]}
    ours = {row["topic"] for row in test.expected[:3]}
    assert (len(raw), ours) == (3, {"Order_Status"})


def test_a_session_without_turns_counts_in_the_mean() -> None:
    """A14: a left join gives the session without turns a null, which the mean leaves out: 3, not 1.5."""
    test = example("agent_daily", "means_count_sessions_without_turns_and_unknown_is_not_zero")
    sessions = frame(test.given["session_summary"]).select("session_id", "turn_count")
    turns = frame(test.given["int_turns"]).group_by("session_id").len()
    assert sessions.join(turns, on="session_id", how="left")["len"].mean() == 3
    (row,) = test.expected
    assert row["turn_count"] / row["sessions"] == sessions["turn_count"].mean() == 1.5


def test_events_stand_in_the_order_of_time() -> None:
    """A15: it puts messages before steps, as the sources come: the answer stands before the work."""
    test = example("session_timeline", "events_stand_in_the_order_in_which_they_happened")
    sources = [
        *(row["message_id"] for row in test.given["int_messages"]),
        *(row["step_id"] for row in test.given["int_steps"]),
    ]
    assert sources.index("m2") < sources.index("p0")  # the answer; the action that led to it
    ours = [row["event_id"] for row in test.expected if row["event_id"] in sources]
    assert ours.index("m1") < ours.index("p3") < ours.index("p0") < ours.index("m2")


def test_what_was_said_is_whole_and_without_escapes() -> None:
    """A17: text is cut at 200 characters, in the middle of an escape at times, and stays escaped."""
    test = example("int_messages", "what_was_said_is_whole_and_readable")
    (served,) = [row["content_text"] for row in test.given["stg_messages"]]
    assert served[:200].endswith("&am")
    (row,) = test.expected
    assert row["content_text"] == "Tom & Jerry's <b>" + "." * 166 + "& the end"


def test_a_link_survives_any_name_and_title() -> None:
    """A18: names go into the address as they are: `R&D Bot` arrives as `R`, a title as half of it."""
    test = example("moment_links", "links_are_encoded_and_turns_are_counted")
    moment, session = test.given["int_moments"][0], test.given["session_summary"][0]
    theirs = f"/record?c__agentApiName={session['agent_name']}&c__title={moment['request_summary']}"
    broken = parse_qs(urlsplit(theirs).query)
    assert (broken["c__agentApiName"], broken["c__title"]) == (["R"], ["Refund? 50% "])
    ours = parse_qs(urlsplit(test.expected[0]["url"]).query)
    assert ours["c__agentApiName"] == ["R&D Bot"]
    assert ours["c__title"] == ["Refund? 50% & more"]
