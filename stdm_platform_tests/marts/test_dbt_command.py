"""How dbt is called, and what is passed on of its words."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from stdm_platform.errors import MartError
from stdm_platform.marts import MartStore, dbt_arguments, dbt_command, dbt_environment
from stdm_platform.settings import Settings

CONVERSION = """Runtime Error in model topic_summary (marts/topic_summary.sql)
  Conversion Error: Could not convert string 'it's my card 4111' to INT32
  LINE 3: select 'my card'"""
BINDER = 'Runtime Error in model m (m.sql)\n  Binder Error: Referenced column "topik" not found'


class Dbt:
    """A dbt that writes these results instead of running."""

    def __init__(self, store: MartStore, nodes: list[dict[str, object]] | None) -> None:
        self.store, self.nodes = store, nodes
        self.environment: dict[str, str] = {}

    def __call__(self, arguments: list[str], **options: object) -> object:
        self.environment = dict(options["env"])  # type: ignore[call-overload]
        if self.nodes is not None:
            text = json.dumps({"results": self.nodes})
            (self.store.target_dir / "run_results.json").write_text(text)
        return subprocess.CompletedProcess(arguments, 1, "Compilation Error\n  in 'x'", "")


@pytest.fixture
def store(tmp_path: Path) -> MartStore:
    return MartStore(tmp_path)


def run(store: MartStore, monkeypatch: pytest.MonkeyPatch, nodes: object) -> dbt_command.DbtOutcome:
    monkeypatch.setattr(dbt_command.subprocess, "run", Dbt(store, nodes))  # type: ignore[arg-type]
    return dbt_command.run_dbt(store, Settings(), 0)


def node(kind: str, name: str, status: str, message: str, failures: int = 0) -> dict[str, object]:
    return {
        "unique_id": f"{kind}.stdm.{name}",
        "status": status,
        "message": message,
        "failures": failures,
        "execution_time": 0.12345,
    }


def test_failures_name_model_or_test_and_never_a_value(
    store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run(
        store,
        monkeypatch,
        [
            node("model", "topic_summary", "error", CONVERSION),
            node("model", "m", "error", BINDER),
            node("test", "session_summary_adds_up", "fail", "Got 3 results", 3),
            node("test", "rows_have_their_parent", "warn", "Got 2 results", 2),
            node("model", "fine", "success", "OK"),
        ],
    )
    assert outcome.warnings == ("test rows_have_their_parent found 2 rows",)
    assert outcome.failures == (
        "model topic_summary failed: Conversion Error: Could not convert string '…'",
        'model m failed: Binder Error: Referenced column "topik" not found',
        "test session_summary_adds_up found 3 rows",
    )
    assert [found.status for found in outcome.nodes] == [
        "error",
        "error",
        "fail",
        "warn",
        "success",
    ]
    assert {found.said for found in outcome.nodes} == {*outcome.warnings, *outcome.failures, ""}
    assert not (store.target_dir / "run_results.json").exists()


def test_an_unfinished_quotation_is_cut_to_the_end(
    store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "Invalid Input Error: 'a secret that never\nends'"
    outcome = run(store, monkeypatch, [node("model", "m", "error", message)])
    assert "secret" not in str(outcome)


def test_a_dbt_that_ends_badly_without_results_is_an_error(
    store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MartError, match="ended with 1 before it built anything: Compilation Error"):
        run(store, monkeypatch, None)


def test_a_bad_end_is_a_failure_even_when_no_node_failed(
    store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run(store, monkeypatch, [node("model", "fine", "success", "OK")])
    assert outcome.failures == ("dbt ended with 1",)


def test_secrets_of_the_environment_never_reach_dbt(
    store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in dbt_command.SECRET_VARIABLES:
        monkeypatch.setenv(name, "canary")
    dbt = Dbt(store, [])
    monkeypatch.setattr(dbt_command.subprocess, "run", dbt)
    dbt_command.run_dbt(store, Settings(), 0)
    assert "canary" not in dbt.environment.values()
    assert dbt.environment["DO_NOT_TRACK"] == "1"


def test_arguments_leave_unit_tests_out_and_write_no_log(store: MartStore) -> None:
    arguments = dbt_arguments(store)
    assert arguments[arguments.index("--exclude-resource-type") + 1] == "unit_test"
    assert arguments[arguments.index("--log-level-file") + 1] == "none"
    assert str(store.target_dir) in arguments
    assert (
        store.dbt_dir / dbt_environment(store)["STDM_WAREHOUSE"]
    ).resolve() == store.warehouse_path


def test_a_parse_holds_for_every_data_directory(tmp_path: Path) -> None:
    one, other = (dbt_environment(MartStore(tmp_path / name)) for name in ("one", "other/two"))
    assert one == other


def test_a_project_that_cannot_be_parsed_is_an_error(
    store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_command.subprocess, "run", Dbt(store, None))
    with pytest.raises(MartError, match="cannot parse"):
        dbt_command.ensure_manifest(store.data_dir)
