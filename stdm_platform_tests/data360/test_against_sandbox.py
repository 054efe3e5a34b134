"""The client against a real HTTP server: the sandbox org, with and without faults."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from stdm_platform.data360 import Connection, Data360, Parameter
from stdm_platform.errors import (
    AuthenticationError,
    FieldNotFoundError,
    ObjectNotFoundError,
    PermissionDeniedError,
    QueryError,
    QueryExpiredError,
)
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform.sandbox.fault_kinds import KINDS
from stdm_platform.settings import Settings

STEPS = (
    'SELECT "ssot__Id__c" AS "Id", "ssot__AiAgentInteractionStepType__c" AS "Type" '
    'FROM "ssot__AIAgentInteractionStep__dlm" '
    'WHERE "ssot__StartTimestamp__c" >= CAST(? AS TIMESTAMPTZ) ORDER BY 1'
)
SINCE = [Parameter("varchar", "2020-01-01T00:00:00Z")]
TRANSIENT = sorted(
    set(KINDS)
    - {"token_error", "forbidden", "query_lost", "missing_object", "missing_field", "bad_sql"}
    - {"wrong_row_count", "hang", "garbled_cells"}
)

NOT_ALWAYS_REACHED = {
    "arrow": {"html", "empty_page", "short_page", "one_use"},  # pages: none when chunks are whole
    "json": {"html", "one_use"},  # tokens: one login
}


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    options = SandboxOptions(
        tmp_path_factory.mktemp("sandbox"),
        days=2,
        sessions_per_day=40,
        chunk_rows=50,
        page_bytes=4_000,
    )
    with running(options) as handle:
        yield handle


@pytest.fixture(autouse=True)
def _no_faults(org: SandboxHandle) -> Iterator[None]:
    yield
    org.clear_faults()


def client(org: SandboxHandle, transport: str, **changes: object) -> Data360:
    given = {name.removeprefix("STDM_").lower(): value for name, value in org.env.items()}
    settings = Settings(**{**given, "transport": transport, **changes})  # type: ignore[arg-type]
    return Data360(Connection.from_settings(settings))


def steps(asked: Data360) -> list[tuple[str, str]]:
    result = asked.query(STEPS, SINCE)
    rows = [
        row
        for batch in result.batches()
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]
    assert [column.name for column in result.columns] == ["Id", "Type"]
    return rows


@pytest.fixture(scope="module")
def truth(org: SandboxHandle) -> list[tuple[str, str]]:
    rows = org.execute(
        'SELECT "ssot__Id__c", "ssot__AiAgentInteractionStepType__c" '
        'FROM "ssot__AIAgentInteractionStep__dlm" ORDER BY 1'
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


@pytest.mark.parametrize("transport", ["arrow", "json", "auto"])
def test_every_row_comes_over_every_transport(
    org: SandboxHandle, truth: list[tuple[str, str]], transport: str
) -> None:
    with client(org, transport) as asked:
        assert steps(asked) == truth
        assert asked.org_id == org.org_id
        assert asked.transport == ("json" if transport == "json" else "arrow")
        assert asked.query(STEPS, SINCE).rows_processed == len(truth)


@pytest.mark.parametrize("kind", TRANSIENT)
@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_each_transient_fault_is_outlived(
    org: SandboxHandle, truth: list[tuple[str, str]], transport: str, kind: str
) -> None:
    is_of_submits = all(name.endswith("submit") for name in KINDS[kind].operations)
    fault: dict[str, object] = {"kind": kind, "every": 1 if is_of_submits else 3, "times": 3}
    if kind.startswith("rate_limit"):
        fault["seconds"] = 0
    faults: list[dict[str, object]] = [fault]
    if kind in {"wrapped_status", "numbers_as_strings"}:
        faults.append({"kind": "running"})  # else Connect is complete at once, without a poll
    org.set_faults(faults)
    with client(org, transport) as asked:
        assert steps(asked) == truth
        assert steps(asked) == truth
    other = {"arrow": ("connect.", "token.exchange"), "json": ("v3.", "token.exchange")}[transport]
    reachable = any(not name.startswith(other) for name in KINDS[kind].operations)
    if reachable and kind not in NOT_ALWAYS_REACHED[transport]:
        assert org.served()[kind] > 0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_one_request_in_three_may_fail_in_any_way(
    org: SandboxHandle, truth: list[tuple[str, str]], transport: str, seed: int
) -> None:
    faults = [
        {"kind": kind, "seconds": 0} if kind.startswith("rate") else {"kind": kind}
        for kind in TRANSIENT
    ]
    org.set_faults({"seed": seed, "share": 0.33, "faults": faults})
    with client(org, transport) as asked, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: steps(asked), range(2))) == [truth] * 2
    assert sum(org.served().values()) > 5


@pytest.mark.parametrize(
    ("kind", "on", "error"),
    [
        ("forbidden", "*.submit", PermissionDeniedError),
        ("missing_object", "*.submit", ObjectNotFoundError),
        ("missing_field", "*.submit", FieldNotFoundError),
        ("bad_sql", "*.submit", QueryError),
        ("query_lost", "*", QueryExpiredError),
        ("token_error", "token.login", AuthenticationError),
    ],
)
@pytest.mark.parametrize("transport", ["arrow", "json", "auto"])
def test_each_permanent_fault_ends_in_its_own_error(
    org: SandboxHandle, transport: str, kind: str, on: str, error: type
) -> None:
    org.set_faults([{"kind": kind, "on": on}])
    with client(org, transport) as asked, pytest.raises(error) as caught:
        steps(asked)
    assert type(caught.value) is error
    assert org.served()[kind] >= 1


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_refusals_of_the_engine_itself_are_understood(org: SandboxHandle, transport: str) -> None:
    table = '"ssot__AIAgentSession__dlm"'
    with client(org, transport) as asked:
        with pytest.raises(ObjectNotFoundError):
            asked.query('SELECT * FROM "ssot__Nothing__dlm"')
        with pytest.raises(FieldNotFoundError):
            asked.query(f'SELECT "ssot__Nothing__c" FROM {table}')
        with pytest.raises(QueryError):
            asked.query(f"SELEC * FORM {table}")
        empty = asked.query(f"SELECT * FROM {table} LIMIT 0")
        assert len(empty.columns) > 10
        assert list(empty.batches()) == []


def test_dead_tokens_cost_one_login_for_all_threads(org: SandboxHandle) -> None:
    with client(org, "arrow") as asked:
        asked.query(STEPS, SINCE)
        org.kill_tokens()
        org.requests(clear=True)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: steps(asked), range(4)))
    operations = [entry["operation"] for entry in org.requests()]
    assert operations.count("token.login") == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"consumer_key": SecretStr("nobody")}, "STDM_CONSUMER_KEY"),
        ({"username": "nobody@example.com"}, "user"),
        ({"jwt_audience": "https://wrong.example.com"}, "STDM_JWT_AUDIENCE"),
    ],
)
def test_each_wrong_setting_is_named(
    org: SandboxHandle, changes: dict[str, object], word: str
) -> None:
    with client(org, "auto", **changes) as asked, pytest.raises(AuthenticationError, match=word):
        asked.log_in()


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_a_result_is_read_again_by_its_id_and_not_asked_again(
    org: SandboxHandle, transport: str
) -> None:
    told: list[tuple[str, str]] = []
    with client(org, transport) as asked:
        first = asked.query(STEPS, SINCE, submitted=lambda *said: told.append(said))
        rows = [row for batch in first.batches() for row in batch.to_pylist()]
    assert told == [(first.query_id, transport)]
    before = len(org.sql_log())
    with client(org, transport) as asked:  # another process, as it were
        again = asked.reopen(first.query_id, transport=transport, sql_sha256=first.sql_sha256)
        assert [row for batch in again.batches() for row in batch.to_pylist()] == rows != []
        assert (again.columns, again.rows_processed) == (first.columns, first.rows_processed)
        assert (again.transport, again.sql_sha256) == (transport, first.sql_sha256)
        with pytest.raises(QueryExpiredError):
            asked.reopen("unknown", transport=transport, sql_sha256="")
        other = "json" if transport == "arrow" else "arrow"
        with pytest.raises(QueryExpiredError, match="not in use"):
            asked.reopen(first.query_id, transport=other, sql_sha256="")
    assert len(org.sql_log()) == before
