"""A1, A11, A12 and A16 of section 8.3 of the Data 360 page: the first seed's answers beside ours.

The other faults of its formulas are in `marts`, where ours are.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight import (
    Scope,
    find_hallucinations,
    quality_report,
    session_overview,
    timeline,
)
from stdm_platform.insight.signals import SIGNALS
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform_tests.insight.mart_tables import marts_with, session
from stdm_platform_tests.marts.lakes import hold

CAP = 10_000
"""What the seed limits its lists to, and then counts."""


def test_sessions_can_be_counted(tmp_path: Path) -> None:
    """A1: `pl.count()` without a column raises on today's Polars: `analyze` and `topics` end with 1."""
    with pytest.raises(TypeError, match="at least one argument"):
        pl.DataFrame({"channel": ["Voice", "Voice"]}).group_by("channel").agg(pl.count())
    store = marts_with(
        tmp_path,
        session_summary=[session("a", channel="Voice"), session("b", channel="Voice")],
    )
    for name in ("interactions", "steps"):
        hold(Lake(tmp_path), name)
    assert session_overview(store, Scope()).select("channel", "sessions").rows() == [("Voice", 2)]


def test_a_count_is_of_all_and_not_of_those_shown(tmp_path: Path) -> None:
    """A11: the report counts a list that ends at 10,000: one more is the same."""
    found = pl.DataFrame({"step_id": range(CAP + 1)})
    assert found.head(CAP).height == CAP
    store = marts_with(
        tmp_path,
        quality_daily=[
            {"signal": "groundedness", "state": "checked", "sessions": CAP + 1, "checks": CAP + 1,
             "flagged": CAP + 1, "unreadable": 0, "checked_sessions": 1, "flagged_sessions": 1},
        ],
    )  # fmt: skip
    with store.connect() as marts:
        assert marts.execute("select count(*) from quality_signals").fetchall() == [(0,)]
    assert quality_report(store, Scope())["flagged"].to_list() == [CAP + 1]
    assert find_hallucinations(store, Scope(), 1).facts["flagged"] == CAP + 1


def test_what_nobody_extracted_is_no_zero(tmp_path: Path) -> None:
    """A12: a file that is not there is an empty frame, and the report says 0 toxic texts."""
    toxic = pl.DataFrame({"generation_id": []})
    with suppress(FileNotFoundError):
        toxic = pl.read_parquet(tmp_path / "content_quality" / "data.parquet")
    assert toxic.height == 0
    nobody_looked = [{"signal": name, "state": "not_extracted", "sessions": 1} for name in SIGNALS]
    with pytest.raises(NotExtractedError, match="content_quality"):
        quality_report(marts_with(tmp_path, quality_daily=nobody_looked), Scope())


def test_an_empty_answer_has_the_types_of_a_full_one(example: Path) -> None:
    """A16: empty columns are of type Null, and joining them with others raises."""
    theirs = pl.DataFrame({"session_id": [None], "turn_number": [None]}).clear()
    assert set(theirs.dtypes) == {pl.Null}
    full = pl.DataFrame({"session_id": ["s1"], "turn_number": [1]})
    with pytest.raises(pl.exceptions.SchemaError):
        full.join(theirs, on="session_id")
    store = MartStore(example / "stdm_data")
    hits = find_hallucinations(store, Scope()).rows
    none = find_hallucinations(store, Scope(agent="nobody")).rows
    assert (hits.height > 0, none.height) == (True, 0)
    assert pl.concat([hits, none]).equals(hits)
    with pytest.raises(NotExtractedError):  # a session that is not there is no empty timeline
        timeline(Lake(store.data_dir), store, "nobody")
