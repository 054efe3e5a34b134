"""Fetch windows of DMOs: catalog → SQL → Data 360 → contract → lake.

Belongs here: what an org has of a DMO, the SQL, decoding answers, reading a window, a day and a
range, and which windows a request means. Does not: HTTP (`data360`), files (`lake`), the rules of a
contract (`guard`), marts.

    shape.py, sql.py            what the org has, and what it is asked
    probe.py, schemas.py, drifts.py  what the org has without extracting, kept, and what changed
    conform.py, instants.py     what it answers, in the catalog's schema
    question.py, reading.py     asking for one window, reading it
    days.py, day_reading.py, worklist.py  one day, its windows side by side
    volume.py, nearby.py, in_hand.py  windows by expected rows, what that is known from, rows at once
    backfill.py, interruption.py  many days side by side, and Ctrl-C meanwhile
    continuation.py, kept.py, recall.py  going on after an interruption, without paying twice
    ranges.py                   which windows `--since`, `--until` and `--days` mean
    catalogues.py               what a catalogue has instead of days
    due.py, cost.py, plan.py    which windows are due now, why and at what cost; pure
    freshness.py                which DMOs are later than was promised
    figures.py, comparison.py   whether source and lake hold the same rows of a window
    day_verification.py, verification.py, verified.py  one day, many days, what was found equal
    discrepancy.py, foresight.py  what a difference means, and when it is read again
    status.py                   how current and final the lake is, and what it cost
    holdings.py, start.py, tick.py  the plan of a lake, its first day, and carrying it out
    trees.py, tree_*.py, agents.py  whole sessions by id, or by agent, into the overlay
"""

from stdm_platform.extraction.agents import find_agents, find_sessions_of_agent
from stdm_platform.extraction.backfill import extract_range
from stdm_platform.extraction.catalogues import windows_of
from stdm_platform.extraction.counting import count_rows
from stdm_platform.extraction.day_verification import DayCheck
from stdm_platform.extraction.days import extract_day, kept_day
from stdm_platform.extraction.discrepancy import Finding, finding_of, refusals_of_day
from stdm_platform.extraction.drifts import drifts_of
from stdm_platform.extraction.figures import figures_query
from stdm_platform.extraction.foresight import next_reading
from stdm_platform.extraction.freshness import Freshness, Promise, freshness_of
from stdm_platform.extraction.holdings import counting_of, plan_now, request_of
from stdm_platform.extraction.outcome import DayOutcome
from stdm_platform.extraction.plan import DueWindow, Plan
from stdm_platform.extraction.probe import probe_org
from stdm_platform.extraction.ranges import bounds, hull, windows_for_range, windows_of_days
from stdm_platform.extraction.shape import SourceShape, expected_shape, look
from stdm_platform.extraction.source import Result, Source
from stdm_platform.extraction.sql import count_query, window_query
from stdm_platform.extraction.start import first_day
from stdm_platform.extraction.status import DmoStatus, status_of
from stdm_platform.extraction.tick import extract_plan
from stdm_platform.extraction.tree_outcome import RefusedTree, TableCount, TreesOutcome
from stdm_platform.extraction.tree_request import TreeRequest
from stdm_platform.extraction.tree_sql import sessions_of_agent
from stdm_platform.extraction.trees import extract_trees, planned_queries, session_ids
from stdm_platform.extraction.verification import (
    Span,
    days_to_verify,
    rows_without_clock,
    verify_days,
)
from stdm_platform.extraction.verified import Verified

__all__ = [
    "DayCheck",
    "DayOutcome",
    "DmoStatus",
    "DueWindow",
    "Finding",
    "Freshness",
    "Plan",
    "Promise",
    "RefusedTree",
    "Result",
    "Source",
    "SourceShape",
    "Span",
    "TableCount",
    "TreeRequest",
    "TreesOutcome",
    "Verified",
    "bounds",
    "count_query",
    "count_rows",
    "counting_of",
    "days_to_verify",
    "drifts_of",
    "expected_shape",
    "extract_day",
    "extract_plan",
    "extract_range",
    "extract_trees",
    "figures_query",
    "find_agents",
    "find_sessions_of_agent",
    "finding_of",
    "first_day",
    "freshness_of",
    "hull",
    "kept_day",
    "look",
    "next_reading",
    "plan_now",
    "planned_queries",
    "probe_org",
    "refusals_of_day",
    "request_of",
    "rows_without_clock",
    "session_ids",
    "sessions_of_agent",
    "status_of",
    "verify_days",
    "window_query",
    "windows_for_range",
    "windows_of",
    "windows_of_days",
]
