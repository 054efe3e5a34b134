from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from stranger import ARROW, Stranger, status_in

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox import SandboxHandle
from stdm_platform.sandbox.fault_kinds import KINDS, OPERATIONS
from stdm_platform.sandbox.faults import FaultPlan

ALL = "SELECT ssot__Id__c FROM ssot__AiAgentSession__dlm ORDER BY 1"
PLACES = ("connect", "v3")


def serve(sandbox: SandboxHandle, kind: str, **fields: Any) -> None:
    sandbox.set_faults([{"kind": kind, **fields}])


def submit(stranger: Stranger, plane: str, **given: Any) -> httpx.Response:
    ask = stranger.connect if plane == "connect" else stranger.v3
    return ask(json={"sql": ALL}, **given)


@pytest.mark.parametrize("plane", PLACES)
def test_too_many_requests_says_seconds_to_wait(
    sandbox: SandboxHandle, stranger: Stranger, plane: str
) -> None:
    serve(sandbox, "rate_limit_seconds", seconds=3, first=1)
    answer = submit(stranger, plane)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert submit(stranger, plane).status_code < 300
    assert sandbox.served() == {"rate_limit_seconds": 1}
    (entry,) = sandbox.fault_log()
    assert (entry["operation"], entry["method"]) == (f"{plane}.submit", "POST")


def test_too_many_requests_says_a_date_to_wait_for(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    serve(sandbox, "rate_limit_date", seconds=5)
    answer = submit(stranger, "v3")
    until = parsedate_to_datetime(answer.headers["retry-after"])
    assert answer.status_code == 429
    assert 4 < (until - datetime.now(UTC)).total_seconds() < 7
    assert sandbox.served() == {"rate_limit_date": 1}


def test_a_server_error_has_the_gateways_shape(sandbox: SandboxHandle, stranger: Stranger) -> None:
    serve(sandbox, "server_error")
    body = submit(stranger, "v3").json()
    assert body["internalErrorCode"] == "COMMON_ERROR_GENERIC"
    assert body["path"] == "/api/v3/query"
    assert submit(stranger, "connect").status_code == 500


def test_an_unavailable_service_answers_html(sandbox: SandboxHandle, stranger: Stranger) -> None:
    serve(sandbox, "unavailable_html")
    answer = submit(stranger, "v3")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("status", [200, 401])
def test_a_token_path_can_answer_a_login_page(
    sandbox: SandboxHandle, stranger: Stranger, status: int
) -> None:
    serve(sandbox, "html", on="token.exchange", status=status)
    answer = stranger.post_exchange()
    assert (answer.status_code, answer.text[:9]) == (status, "<!DOCTYPE")
    assert stranger.post_login().status_code == 200
    assert sandbox.served() == {"html": 1}


def test_a_token_path_can_answer_any_documented_error(sandbox: SandboxHandle) -> None:
    serve(sandbox, "token_error", error="invalid_client", error_description="invalid client")
    answer = Stranger(sandbox.env).post_login()
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_client", "error_description": "invalid client"}


@pytest.mark.parametrize("plane", PLACES)
def test_an_expired_token_is_dead_from_then_on(
    sandbox: SandboxHandle, stranger: Stranger, plane: str
) -> None:
    serve(sandbox, "unauthorized", on=f"{plane}.*", at=[1])
    answers = [submit(stranger, plane).status_code for _ in range(3)]
    assert answers[0] < 300
    assert answers[1:] == [401, 401]
    assert sandbox.served() == {"unauthorized": 1}
    assert submit(stranger.log_in(), plane).status_code < 300


def test_an_expired_org_token_cannot_be_exchanged(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    serve(sandbox, "unauthorized", on="token.exchange", first=1)
    assert [stranger.post_exchange().status_code for _ in range(2)] == [401, 401]


def test_a_one_use_token_is_refused_at_its_second_exchange(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    serve(sandbox, "one_use", first=1)
    assert [stranger.post_exchange().status_code for _ in range(2)] == [200, 400]
    assert sandbox.served() == {"one_use": 1}


@pytest.mark.parametrize("plane", PLACES)
def test_a_forbidden_plane_is_a_403(sandbox: SandboxHandle, stranger: Stranger, plane: str) -> None:
    serve(sandbox, "forbidden", on=f"{plane}.*", permanent=True)
    assert [submit(stranger, plane).status_code for _ in range(2)] == [403, 403]


@pytest.mark.parametrize("plane", PLACES)
def test_a_lost_query_is_gone(sandbox: SandboxHandle, stranger: Stranger, plane: str) -> None:
    answer = submit(stranger, plane)
    status = answer.json()["status"] if plane == "connect" else status_in(answer)
    serve(sandbox, "query_lost", first=1)
    ask = stranger.connect if plane == "connect" else stranger.v3
    path = f"/{status['queryId']}/rows"
    codes = [ask("GET", path, params={"offset": 1}).status_code for _ in range(2)]
    assert codes == [404, 404]
    assert sandbox.served() == {"query_lost": 1}


@pytest.mark.parametrize(
    ("kind", "state", "name"),
    [
        ("missing_object", "42P01", "ssot__AiAgentSession__dlm"),
        ("missing_field", "42703", "ssot__Id__c"),
        ("bad_sql", "42601", "syntax"),
    ],
)
def test_a_missing_thing_has_its_sqlstate(
    sandbox: SandboxHandle, stranger: Stranger, kind: str, state: str, name: str
) -> None:
    serve(sandbox, kind)
    answer = submit(stranger, "v3")
    assert (answer.status_code, answer.json()["error"]) == (400, state)
    assert name in answer.json()["message"]
    assert submit(stranger, "connect").status_code == 400


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_breaks_the_connection(
    sandbox: SandboxHandle, stranger: Stranger, when: str
) -> None:
    sandbox.sql_log(clear=True)
    serve(sandbox, "reset", when=when, first=1)
    with pytest.raises(httpx.ReadError, match="reset"):
        submit(stranger, "v3")
    assert sandbox.served() == {"reset": 1}
    assert len(sandbox.sql_log()) == (when == "after")
    assert submit(stranger, "v3").status_code == 200


def test_a_cut_body_ends_before_its_length(sandbox: SandboxHandle, stranger: Stranger) -> None:
    answer = submit(stranger, "v3")
    serve(sandbox, "cut")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        submit(stranger, "connect")
    path = f"/{status_in(answer)['queryId']}/chunks/1"
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        stranger.v3("GET", path, accept=ARROW)
    assert sandbox.served() == {"cut": 2}


def test_a_reset_can_come_in_the_middle_of_a_body(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    serve(sandbox, "cut", how="reset", share=0.1)
    with pytest.raises(httpx.ReadError, match="reset"):
        submit(stranger, "connect")
    assert sandbox.served() == {"cut": 1}


def test_an_answer_without_a_body_is_not_cut(sandbox: SandboxHandle, stranger: Stranger) -> None:
    serve(sandbox, "cut")
    assert stranger.v3("DELETE", "/unknown").status_code == 204
    assert sandbox.served() == {}


def test_a_hang_is_silence_before_the_answer(sandbox: SandboxHandle, stranger: Stranger) -> None:
    serve(sandbox, "hang", seconds=0.4)
    began = time.monotonic()
    assert submit(stranger, "v3").status_code == 200
    assert time.monotonic() - began > 0.4


def test_running_lasts_for_the_polls_asked_for_and_grows(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    serve(sandbox, "running", polls=3)
    for plane in PLACES:
        answer = submit(stranger, plane)
        assert answer.json()["data"] == []
        status = answer.json()["status"] if plane == "connect" else status_in(answer)
        ask = stranger.connect if plane == "connect" else stranger.v3
        states, counts = [status["completionStatus"]], [status["rowCount"]]
        while states[-1].upper().startswith("RUNNING"):
            status = ask("GET", f"/{status['queryId']}").json()
            states.append(status["completionStatus"])
            counts.append(status["rowCount"])
        assert len(states) == 5
        assert counts == sorted(counts)
        assert counts[0] < counts[1] < counts[-1] == 2000
    assert len(stranger.connect_rows(ALL)) == 2000
    assert sandbox.served() == {"running": 3}


def test_short_pages_still_add_up(sandbox: SandboxHandle, stranger: Stranger) -> None:
    serve(sandbox, "short_page")
    assert len(stranger.connect_rows(ALL)) == 2000
    assert len(stranger.v3_rows_by_offset(ALL)) == 2000
    assert {entry["operation"] for entry in sandbox.fault_log()} == {
        "connect.submit", "connect.rows", "v3.rows",
    }  # fmt: skip


def test_an_empty_page_is_served_in_the_middle(sandbox: SandboxHandle, stranger: Stranger) -> None:
    serve(sandbox, "empty_page")
    answer = submit(stranger, "v3")
    path = f"/{status_in(answer)['queryId']}/rows"
    assert stranger.v3("GET", path, params={"offset": 1}).json()["returnedRows"] == 0
    assert sandbox.served() == {"empty_page": 1}


def test_an_empty_first_chunk_moves_the_rows_to_the_next(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    serve(sandbox, "empty_first_chunk", first=2)
    rows = stranger.v3_rows_by_chunk(ALL)
    table = stranger.v3_arrow(ALL)
    assert rows == stranger.v3_rows_by_chunk(ALL)
    assert table.num_rows == len(rows) == 2000
    assert sandbox.served() == {"empty_first_chunk": 2}
    serve(sandbox, "empty_first_chunk")
    answer, status = stranger.v3_submit(ALL)
    assert answer.json()["data"] == []
    first = stranger.v3("GET", f"/{status['queryId']}/chunks/0").json()
    assert (first["data"], status["chunkCount"]) == ([], 8)


def test_cells_can_say_what_their_type_does_not_allow(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    instants = "SELECT TIMESTAMPTZ '2026-01-14 10:00:00+00' AS \"at\", n FROM generate_series(1, 3) AS g(n)"
    right = stranger.connect_rows(instants)
    serve(sandbox, "garbled_cells", rows=2)
    assert stranger.connect_rows(instants) == [["soon", 1], ["soon", 2], right[2]]
    serve(sandbox, "garbled_cells", column="n", text="three")
    assert stranger.connect_rows(instants) == [[right[0][0], "three"], *right[1:]]


def test_a_wrong_row_count_stays_wrong(sandbox: SandboxHandle, stranger: Stranger) -> None:
    serve(sandbox, "wrong_row_count", by=-3)
    answer = submit(stranger, "v3")
    assert status_in(answer)["rowCount"] == 1997
    again = stranger.v3("GET", f"/{status_in(answer)['queryId']}")
    assert status_in(again)["rowCount"] == 1997


def test_the_status_can_be_wrapped_renamed_and_spelled_in_strings(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    sandbox.set_faults(
        [{"kind": "wrapped_status"}, {"kind": "status_header"}, {"kind": "numbers_as_strings"}]
    )
    answer = submit(stranger, "v3")
    assert "x-hyperdb-status" not in answer.headers
    status = json.loads(answer.headers["status"])
    assert (status["rowCount"], status["executionStats"]["rowsProcessed"]) == ("2000", "2000")
    for ask in (stranger.connect, stranger.v3):
        assert ask("GET", f"/{status['queryId']}").json()["status"]["chunkCount"] == "7"
    assert set(sandbox.served()) == {"wrapped_status", "status_header", "numbers_as_strings"}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"every": 3}, [200, 200, 500, 200, 200, 500]),
        ({"first": 2}, [500, 500, 200, 200, 200, 200]),
        ({"at": [0, 4]}, [500, 200, 200, 200, 500, 200]),
        ({"times": 1}, [500, 200, 200, 200, 200, 200]),
        ({"permanent": True}, [500] * 6),
        ({"path": "connect|ssot"}, [200] * 6),
        ({"method": "GET"}, [200] * 6),
        ({"on": ["v3.chunk", "token.*"]}, [200] * 6),
        ({"probability": 0.0}, [200] * 6),
    ],
)
def test_a_fault_keeps_to_its_schedule(
    sandbox: SandboxHandle, stranger: Stranger, schedule: dict[str, Any], expected: list[int]
) -> None:
    serve(sandbox, "server_error", **schedule)
    assert [stranger.v3(json={"sql": "SELECT 1"}).status_code for _ in expected] == expected
    assert sandbox.served().get("server_error", 0) == expected.count(500)


def test_a_share_of_requests_meets_every_fault_of_the_plan(
    sandbox: SandboxHandle, stranger: Stranger
) -> None:
    kinds = ["server_error", "rate_limit_seconds", "unavailable_html", "forbidden"]
    sandbox.set_faults({"seed": 5, "share": 0.33, "faults": [{"kind": kind} for kind in kinds]})
    answers = [stranger.v3(json={"sql": "SELECT 1"}).status_code for _ in range(60)]
    served = sandbox.served()
    assert set(served) == set(kinds)
    assert max(served.values()) - min(served.values()) <= 1
    assert 10 <= sum(served.values()) == sum(code != 200 for code in answers) <= 30


def test_a_plan_with_the_same_seed_chooses_the_same_requests() -> None:
    plan = {"seed": 9, "faults": [{"kind": "reset", "probability": 0.5}]}

    def choices() -> list[int]:
        made = FaultPlan.parse(plan)
        return [len(made.choose("v3.chunk", "GET", "/")) for _ in range(40)]

    assert choices() == choices()
    assert 0 < sum(choices()) < 40


def test_many_at_once_get_all_their_rows_through_transient_faults(
    sandbox: SandboxHandle,
) -> None:
    """Whoever tries again on each fault gets all rows, eight at a time."""
    kinds = ["server_error", "rate_limit_date", "reset", "cut", "running", "short_page"]
    sandbox.set_faults({"share": 0.3, "faults": [{"kind": kind} for kind in kinds]})

    def patient(number: int) -> int:
        for _ in range(200):
            try:
                rows = Stranger(sandbox.env).log_in().connect_rows(f"{ALL} -- {number}")
            except (httpx.HTTPError, AssertionError, KeyError, TypeError, ValueError):
                continue
            return len({row[0] for row in rows})
        return 0

    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):  # which faults are drawn depends on the order of requests
            assert list(pool.map(patient, range(8))) == [2000] * 8
            if set(sandbox.served()) == set(kinds):
                return
    raise AssertionError(sandbox.served())


def test_no_fault_meets_the_sandboxs_own_paths(sandbox: SandboxHandle) -> None:
    serve(sandbox, "server_error")
    assert sandbox.execute("SELECT 1") == [[1]]
    assert sandbox.faults()["faults"][0]["seen"] == 0


def test_requests_are_logged_with_their_faults(sandbox: SandboxHandle, stranger: Stranger) -> None:
    sandbox.requests(clear=True)
    serve(sandbox, "server_error", first=1)
    submit(stranger, "connect")
    submit(stranger, "connect")
    first, second = sandbox.requests()
    assert (first["operation"], first["status"], first["faults"]) == (
        "connect.submit", 500, ["server_error"],
    )  # fmt: skip
    assert (second["status"], second["faults"]) == (201, [])


@pytest.mark.parametrize(
    "plan",
    [
        [{"kind": "nonsense"}],
        [{"kind": "reset", "evry": 2}],
        [{"kind": "reset", "every": 0}],
        [{"kind": "reset", "every": "often"}],
        [{"kind": "reset", "path": "("}],
        [{"kind": "reset", "seconds": 3}],
        {"faults": "reset"},
        {"share": 2},
        {"colour": "red"},
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(sandbox: SandboxHandle, plan: Any) -> None:
    with pytest.raises(ArgumentError):
        sandbox.set_faults(plan)


def test_help_names_every_kind_and_operation() -> None:
    command = [sys.executable, "-m", "stdm_platform.sandbox", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in (*KINDS, *OPERATIONS, "--load-transcripts", "/sandbox/faults"):
        assert name in text
