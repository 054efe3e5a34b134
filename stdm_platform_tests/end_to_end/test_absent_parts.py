"""Orgs that lack optional columns or an object, or call everything by the newer names."""

from __future__ import annotations

from stdm_platform.catalog import dmo
from stdm_platform.catalog.model import LEGACY_PREFIX, NEWER_PREFIX
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.end_to_end.command import Stdm
from stdm_platform_tests.end_to_end.conftest import DAYS, RANGE, SESSIONS_PER_DAY
from stdm_platform_tests.end_to_end.facts import (
    all_marts,
    ask,
    assert_same_marts,
    evidence,
    lake_counts,
    lake_rows,
)
from stdm_platform_tests.session_objects import SESSION_DMOS

SOME = ["sessions.channel_type", "steps.error_message_text", "messages.content_text"]


def test_an_org_with_required_columns_only_and_without_moments_succeeds_and_says_so(
    stdm: Stdm, org: SandboxHandle, held: Stdm
) -> None:
    optional = {d.name: [c for c in d.columns if not c.required] for d in SESSION_DMOS}
    hidden = [f"{name}.{column.name}" for name, columns in optional.items() for column in columns]
    org.change_settings(hide_columns=hidden, hide_objects=["moments"])
    ended = stdm("extract", *RANGE).succeeded()
    for name, columns in optional.items():
        if name == "moments":
            continue
        sources = [column.source for column in columns]
        assert all(source in ended.out for source in sources)
        for day in DAYS:
            (said,) = evidence(stdm.data_dir, name, day)
            assert sorted(said.absent_columns) == sorted(sources)
        rows = lake_rows(stdm.data_dir, name)
        assert all(rows[column.name].null_count() == rows.height > 0 for column in columns)
    (moments,) = (line for line in ended.out.splitlines() if line.split()[:1] == ["moments"])
    assert f"{len(DAYS)} absent" in moments
    assert not (stdm.data_dir / "lake" / "moments").exists()
    others = {key: rows for key, rows in lake_counts(held.data_dir).items() if key[0] != "moments"}
    assert lake_counts(stdm.data_dir) == others
    figures = "select count(*), count(channel), count(outcome) from session_summary"
    assert ask(stdm.data_dir, figures) == [(len(DAYS) * SESSIONS_PER_DAY, 0, 0)]
    stdm("analyze", "--format", "json").succeeded()


def test_doctor_names_what_is_absent(stdm: Stdm, org: SandboxHandle) -> None:
    org.change_settings(hide_columns=SOME, hide_objects=["moments"])
    ended = stdm("doctor").succeeded()
    assert "- moments: the org has none of" in ended.messages
    for reference in SOME:
        name, column = reference.split(".")
        assert dmo(name)[column].source in ended.messages


def test_the_newer_names_give_the_same_marts(stdm: Stdm, org: SandboxHandle, held: Stdm) -> None:
    org.change_settings(family="std")
    org.sql_log(clear=True)
    stdm("extract", *RANGE).succeeded()
    asked = [entry["sql"] for entry in org.sql_log() if "CAST(?" in entry["sql"]]
    assert asked
    for sql in asked:
        assert NEWER_PREFIX in sql
        assert LEGACY_PREFIX not in sql
    for entry in SESSION_DMOS:
        assert lake_rows(stdm.data_dir, entry.name).equals(lake_rows(held.data_dir, entry.name))
    assert_same_marts(all_marts(stdm.data_dir), all_marts(held.data_dir))
