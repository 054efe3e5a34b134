"""How late rows land and when they change: the lag table, as data.

Belongs here: for each object, how long after its instant a row becomes visible, and which columns
read otherwise at first. Does not: the SQL made of it (`landing.py`), the clock (`clock.py`).

Sources, all in section 4.4 of the Data 360 page unless said otherwise. They disagree, so each part
of a distribution names the one it follows; the shares are ours ([inferred]: no source has any).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True)
class Band:
    """A share of the rows whose lag lies evenly between two times; `most` None is the longest."""

    share: float
    least: timedelta
    most: timedelta | None


@dataclass(frozen=True)
class Rewrite:
    """A column (lake name) that reads `before` until its value is filled, `lag` after an instant.

    `since` "end" counts from the row's end and never shows the value before it; "landing" counts
    from the instant at which the row became visible. A column that is null or empty stays so.
    """

    column: str
    before: str | None
    since: Literal["end", "landing"]
    lag: tuple[Band, ...]


@dataclass(frozen=True)
class Lags:
    """When rows of an object land.

    `since` "start" counts from the clock column: the row is there while what it tells of goes on.
    "end" counts from the row's end (its clock column when it has none), "closed" from the end of its
    session (its own when the session has none).
    """

    since: Literal["start", "end", "closed"]
    landing: tuple[Band, ...]
    rewrites: tuple[Rewrite, ...] = ()


def _minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def _hours(count: float) -> timedelta:
    return timedelta(hours=count)


_MINUTES = (
    Band(0.90, _minutes(15), _minutes(30)),  # [third-party] STDM refresh 15-30 min
    Band(0.08, _minutes(30), _minutes(60)),
    Band(0.02, _hours(1), _hours(6)),  # [inferred] so that children land before parents too
)
_TURNS = (
    Band(0.60, _minutes(30), _hours(2)),  # [official:code] sf-pi: 30 min to 2 h, checked live
    Band(0.28, _hours(2), _hours(12)),  # [official:code,live] d360-analyze: hours ...
    Band(0.10, _hours(12), _hours(48)),  # ... [third-party] Amplitude: hours to days
    Band(0.02, _hours(48), None),  # [official:code,live] ... to days
)
_MOMENTS = (
    Band(0.70, _hours(4), _hours(5)),  # [official] Trailhead: 4-5 h after a session closes
    Band(0.22, _hours(5), _hours(9)),  # [third-party] the job runs every 3 or 9 h
    Band(0.06, _hours(9), _hours(48)),
    Band(0.02, _hours(48), None),  # [third-party] first run looks back 30 days, later runs 7
)
_END = (
    Band(0.50, _minutes(15), _minutes(60)),  # [third-party] the next refreshes
    Band(0.40, _hours(1), _hours(4)),  # [third-party] closed after 3 h inactivity
    Band(0.08, _hours(4), _hours(24)),
    Band(0.02, _hours(24), None),
)
_VERSION = (
    Band(0.80, _hours(0), _hours(0)),
    Band(0.15, _hours(1), _hours(9)),  # [inferred] the next run of the job
    Band(0.05, _hours(9), None),
)

WORST = Lags("end", _TURNS)
"""Objects without an entry: the page says to design for the worst."""

LAGS: Mapping[str, Lags] = {
    "sessions": Lags(
        "start",  # [official:code,live] a session's row exists before its turns
        _MINUTES,  # [official:code,live] minutes
        (  # [official:code,live] null or NOT_SET while active, filled later
            Rewrite("ended_at", None, "end", _END),
            Rewrite("end_type", "NOT_SET", "end", _END),
        ),
    ),
    "participants": Lags(
        "start",
        _MINUTES,  # [official:code,live] minutes
        (Rewrite("ended_at", None, "end", _END),),  # [inferred] as their session's
    ),
    "interactions": WORST,
    "steps": WORST,
    "messages": WORST,
    "moment_interactions": Lags("closed", _MOMENTS),
    # Catalogues are older than any session; associations bear the time at which they were written.
    **dict.fromkeys(
        ("tag_definitions", "tags", "tag_definition_associations", "tag_associations"),
        Lags("start", _MINUTES),
    ),
    # [official:code,live] gateway rows in minutes; [third-party] usage near real time
    **dict.fromkeys(
        (
            "gateway_requests",
            "gateway_responses",
            "gateway_request_tags",
            "gateway_request_metadata",
            "gateway_llms",
            "gateway_records",
            "citations",
            "feedback",
            "feedback_details",
            "app_generations",
            "retriever_quality_metrics",
            "telemetry_spans",
            "genai_usage",
        ),
        Lags("start", _MINUTES),
    ),
    "moments": Lags(
        "closed",  # and under the conversation's timestamps, section 5.9
        _MOMENTS,
        # [official:code,live] a moment's agent version can read NOT_SET
        (Rewrite("agent_version_api_name", "NOT_SET", "landing", _VERSION),),
    ),
}
"""By catalog name."""
