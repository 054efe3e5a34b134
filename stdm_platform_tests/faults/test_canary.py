"""No secret and no text of a conversation leaves by stdout, stderr or any file but the data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from stdm_platform.cli import run
from stdm_platform_tests.faults.canary import PASSPHRASE, TEXT, PlantedOrg, planted_org
from stdm_platform_tests.faults.world import SINCE, UNTIL, environment, stdm

RANGE = ("--since", SINCE, "--until", UNTIL)


@pytest.fixture(scope="module")
def one_planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantedOrg]:
    with planted_org(tmp_path_factory.mktemp("canary")) as planted:
        yield planted


@pytest.fixture
def planted(one_planted: PlantedOrg) -> Iterator[PlantedOrg]:
    before = one_planted.org.change_settings()
    yield one_planted
    one_planted.org.clear_faults()
    one_planted.org.change_settings(**before)


@pytest.fixture
def command(planted: PlantedOrg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {**environment(planted.org, tmp_path), **planted.variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("STDM_PRIVATE_KEY_FILE", raising=False)
    monkeypatch.setenv("STDM_MAX_ATTEMPTS", "2")
    return tmp_path


def test_the_search_finds_what_is_planted(planted: PlantedOrg, tmp_path: Path) -> None:
    assert planted.found_in(f"a {TEXT} in a line") == [TEXT]
    assert planted.found_in("Bearer 00DxxABCDEFGHIJ!AQ4AbcdEfgh") == ["00DxxABCDEFGHIJ!AQ4AbcdE"]
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "run_results.json").write_text(f'{{"said": "{PASSPHRASE}"}}')
    assert len(planted.found_under([tmp_path])) == 1


def test_a_good_run_with_marts_shows_no_canary(planted: PlantedOrg, tmp_path: Path) -> None:
    variables = environment(planted.org, tmp_path, **planted.variables)
    variables.pop("STDM_PRIVATE_KEY_FILE", None)
    for arguments in (["doctor"], ["extract", *RANGE], ["count", "--table", "steps", *RANGE]):
        ended = stdm(variables, *arguments)
        assert ended.returncode == 0, ended.stderr
        assert planted.found_in(ended.stdout + ended.stderr) == []
    kept = pl.read_parquet(tmp_path / "lake" / "steps" / "*" / "*.parquet")
    assert kept["input_value_text"].str.contains(TEXT).all()  # it had its chance
    assert (tmp_path / "marts.duckdb").exists()
    assert planted.found_under([tmp_path]) == []


def test_a_refused_contract_shows_no_canary(
    planted: PlantedOrg, command: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = '"ssot__AIAgentInteractionStep__dlm"'
    planted.org.execute(f"INSERT INTO {steps} SELECT * FROM {steps} LIMIT 20")
    planted.org.execute(
        'UPDATE "ssot__AiAgentInteractionMessage__dlm" SET "ssot__AiAgentInteractionId__c" = NULL '
        'WHERE hash("ssot__Id__c") % 7 = 0'
    )
    assert run(["extract", *RANGE]) == 1
    shown = capsys.readouterr()
    assert "refused" in shown.err
    assert "steps of" in shown.err
    assert "messages of" in shown.err
    assert planted.found_in(shown.out + shown.err) == []
    assert list((command / "refused").rglob("*.json"))
    assert planted.found_under([command]) == []


def test_a_day_whose_text_stands_in_another_column_shows_no_canary(
    planted: PlantedOrg, command: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted.org.change_settings(
        column_types={"messages.sent_at": "VARCHAR", "steps.ended_at": "VARCHAR"}
    )
    run(["extract", "--no-marts", *RANGE])
    shown = capsys.readouterr()
    assert planted.found_in(shown.out + shown.err) == []
    assert planted.found_under([command]) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "server_error", "on": "*.submit"},
        {"kind": "forbidden", "on": "*.submit"},
        {"kind": "bad_sql"},
        {"kind": "cut", "on": ["*.chunk", "*.rows"]},
        {"kind": "missing_field"},
        {"kind": "html", "on": "token.login"},
    ],
    ids=lambda fault: str(fault["kind"]),
)
@pytest.mark.parametrize("verb", ["doctor", "extract"])
def test_a_failed_run_shows_no_canary(
    planted: PlantedOrg,
    command: Path,
    capsys: pytest.CaptureFixture[str],
    verb: str,
    fault: dict[str, str],
) -> None:
    planted.org.set_faults([fault])
    code = run([verb, *(RANGE if verb == "extract" else ())])
    shown = capsys.readouterr()
    assert code in (0, 1, 2) if fault["kind"] == "cut" else code in (1, 2), shown.err
    assert planted.found_in(shown.out + shown.err) == []
    assert planted.found_under([command]) == []


@pytest.mark.parametrize(
    ("error", "description"),
    [
        ("invalid_grant", "user hasn't approved this consumer {key}"),
        ("invalid_grant", "audience is invalid"),
        ("invalid_grant", "expired authorization code"),
        ("invalid_client_id", "client identifier invalid: {key}"),
        ("invalid_client", "invalid client credentials of '{key}'"),
        ("invalid_grant", "invalid assertion eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"),
        ("invalid_app_access", "session 00Dxx0000001gERE!AQ4AQFabcdefghijkl is over"),
    ],
)
@pytest.mark.parametrize("on", ["token.login", "token.exchange"])
def test_a_refused_login_that_quotes_secrets_shows_none(
    planted: PlantedOrg,
    command: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    on: str,
    error: str,
    description: str,
) -> None:
    monkeypatch.setenv("STDM_TRANSPORT", "arrow")
    said = description.format(key=planted.variables["STDM_CONSUMER_KEY"])
    planted.org.set_faults(
        [{"kind": "token_error", "on": on, "error": error, "error_description": said}]
    )
    for arguments in (["doctor"], ["extract", *RANGE]):
        assert run(arguments) == 2
        shown = capsys.readouterr()
        assert planted.found_in(shown.out + shown.err) == []
    assert planted.found_under([command]) == []


def test_a_wrong_passphrase_is_not_shown(
    planted: PlantedOrg,
    command: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STDM_PRIVATE_KEY_PASSPHRASE", PASSPHRASE + "x")
    assert run(["doctor"]) == 2
    shown = capsys.readouterr()
    assert "STDM_PRIVATE_KEY_PASSPHRASE" in shown.err
    assert planted.found_in(shown.out + shown.err) == []
