"""A query's status is understood however it is spelled, and waited for without haste."""

from __future__ import annotations

import httpx
import pytest

from stdm_platform.data360.status import read_status
from stdm_platform.errors import IncompleteResultError, SourceError, UnavailableError
from stdm_platform_tests.data360.fake_org import (
    QUERY_ID,
    Bend,
    Call,
    FakeOrg,
    instead,
    read_all,
    values,
)


@pytest.mark.parametrize("numbers_as_strings", [False, True])
@pytest.mark.parametrize("form", ["header", "old header", "bare", "wrapped"])
@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_every_form_of_status_is_read(transport: str, form: str, numbers_as_strings: bool) -> None:
    org = FakeOrg(rows=12, chunks=[5, 7], running=2, status_form=form)
    org.numbers_as_strings = numbers_as_strings
    with org.client(transport=transport) as client:
        result = client.query("SELECT 1")
        assert result.row_count == 12
        assert result.rows_processed == 120
        assert sum(batch.num_rows for batch in result.batches()) == 12


@pytest.mark.parametrize(
    ("spelled", "complete"),
    [
        ("Running", False),
        ("RUNNING_OR_UNSPECIFIED", False),
        ("RUNNINGORUNSPECIFIED", False),
        (None, False),
        ("ResultsProduced", True),
        ("RESULTS_PRODUCED", True),
        ("RESULTSPRODUCED", True),
        ("Finished", True),
        ("FINISHED", True),
    ],
)
def test_completion_is_normalised(spelled: str | None, complete: bool) -> None:
    status = read_status({}, {"queryId": "q", "completionStatus": spelled})
    assert status is not None
    assert status.is_complete is complete


def test_an_end_that_is_no_result_is_an_error_and_not_an_endless_wait() -> None:
    status = read_status({}, {"status": {"query_id": "q", "completion_status": "Failed"}})
    assert status is not None
    with pytest.raises(SourceError, match="FAILED"):
        _ = status.is_complete


def test_counts_that_cannot_be_read_are_unknown() -> None:
    body = {"queryId": "q", "rowCount": "many", "chunkCount": True, "executionStats": None}
    status = read_status({"x-hyperdb-status": "{broken", "status": "200 OK"}, body)
    assert status is not None
    assert (status.row_count, status.chunk_count, status.rows_processed) == (None, None, None)
    assert read_status({}, {"data": []}) is None
    assert read_status({}, [1]) is None


def test_a_poll_asks_the_org_to_hold_it_for_ten_seconds_and_no_longer() -> None:
    org = FakeOrg(running=3)
    with org.client(transport="arrow", query_timeout_seconds=15.0) as client:
        read_all(client)
    waits = [int(call.params["waitTimeMs"]) for call in org.of("v3.status")]
    assert len(waits) == 4
    assert all(0 < wait <= 10_000 for wait in waits)


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_an_org_that_answers_running_at_once_is_not_hammered_and_given_up_in_time(
    transport: str,
) -> None:
    org = FakeOrg(running=10**9)
    with (
        org.client(transport=transport, query_timeout_seconds=60.0) as client,
        pytest.raises(UnavailableError, match="still running after 60 s"),
    ):
        client.query("SELECT 1")
    plane = "v3" if transport == "arrow" else "connect"
    assert org.count(f"{plane}.status") < 40
    assert org.count(f"{plane}.cancel") == 1


def test_a_cancel_that_fails_hides_nothing() -> None:
    org = FakeOrg(running=10**9)
    org.bend("v3.cancel", instead(500), when=9)
    with org.client(transport="arrow") as client, pytest.raises(UnavailableError, match="running"):
        client.query("SELECT 1")


def test_a_complete_query_is_not_cancelled() -> None:
    org = FakeOrg(running=2)
    with org.client(transport="arrow") as client:
        read_all(client)
    assert org.count("v3.cancel") == 0


def test_a_complete_status_without_a_row_count_is_asked_for_again() -> None:
    org = FakeOrg(rows=5)
    org.bend(
        "connect.submit",
        lambda call, answer: httpx.Response(
            201,
            json=answer.json()
            | {
                "status": {
                    "queryId": answer.json()["status"]["queryId"],
                    "completionStatus": "ResultsProduced",
                }
            },
        ),
    )
    with org.client(transport="json") as client:
        assert read_all(client) == list(range(5))
    assert org.count("connect.status") == 1


def test_an_inline_answer_without_any_status_is_the_whole_result() -> None:
    org = FakeOrg(rows=5, inline=5)

    def bare(call: object, answer: httpx.Response) -> httpx.Response:
        return httpx.Response(200, json=answer.json())

    org.bend("v3.submit", bare)
    with org.client(transport="arrow") as client:
        result = client.query("SELECT 1")
        assert result.row_count == 5
        assert sum(batch.num_rows for batch in result.batches()) == 5


def test_a_result_that_cannot_be_proven_by_count_is_an_error() -> None:
    org = FakeOrg(rows=5)
    uncounted = {"queryId": QUERY_ID, "completionStatus": "Finished"}
    for operation in ("connect.submit", "connect.status"):
        org.bend(
            operation,
            lambda call, answer: httpx.Response(
                200, json={"metadata": org.metadata(), "data": [], "status": uncounted}
            ),
            when=99,
        )
    with org.client(transport="json") as client, pytest.raises(IncompleteResultError):
        client.query("SELECT 1")


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("v3.submit", {}),
        ("v3.submit", {"status": {"completionStatus": "Running"}}),
        ("v3.status", {}),
        ("connect.submit", {}),
        ("connect.status", {"data": []}),
    ],
)
def test_an_answer_that_lacks_its_status_is_asked_for_again(
    operation: str, body: dict[str, object]
) -> None:
    org = FakeOrg(running=1)
    org.bend(operation, instead(200, json=body), when=2)
    with org.client(transport="arrow" if operation.startswith("v3") else "json") as client:
        assert read_all(client) == list(range(10))


def test_a_connect_answer_without_metadata_is_an_error() -> None:
    org = FakeOrg()
    body = {"data": [], "status": {"queryId": QUERY_ID, "completionStatus": "Finished"}}
    org.bend("connect.submit", instead(200, json=body), when=99)
    with org.client(transport="json") as client, pytest.raises(SourceError, match="metadata"):
        client.query("SELECT 1")


def test_a_query_without_rows_chunks_or_columns_is_an_error() -> None:
    org = FakeOrg(rows=0, chunks=[], names_columns=False)
    org.bend("v3.metadata", instead(404, json={"error": "NOT_FOUND"}), when=9)
    with org.client(transport="arrow") as client, pytest.raises(SourceError):
        client.query("SELECT 1 LIMIT 0")


def saying(**status: object) -> Bend:
    """The answer with this status in place of its own."""

    def bend(call: Call, answer: httpx.Response) -> httpx.Response:
        body = answer.json() | {"status": {"queryId": QUERY_ID, **status}}
        return httpx.Response(answer.status_code, json=body)

    return bend


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_counts_of_a_running_query_never_prove_its_result(transport: str) -> None:
    plane = "v3" if transport == "arrow" else "connect"
    for final in ({}, {"rowCount": 10, "chunkCount": 2}):
        org = FakeOrg(rows=10, chunks=[4, 6], inline=4, running=1, status_form="wrapped")
        so_far = saying(completionStatus="Running", rowCount=4, chunkCount=1)
        org.bend(f"{plane}.submit", so_far)
        org.bend(f"{plane}.status", saying(completionStatus="Finished"), when=1 if final else 99)
        with org.client(transport=transport) as client:
            if final:
                assert read_all(client) == list(range(10))
            else:
                with pytest.raises(IncompleteResultError, match="no row count"):
                    read_all(client)


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_a_status_that_leaves_the_query_id_out_is_one_of_the_query_asked_for(
    transport: str,
) -> None:
    org = FakeOrg(running=1, status_form="wrapped")
    plane = "v3" if transport == "arrow" else "connect"

    def nameless(call: Call, answer: httpx.Response) -> httpx.Response:
        status = {name: each for name, each in answer.json()["status"].items() if name != "queryId"}
        return httpx.Response(200, json={"status": status})

    org.bend(f"{plane}.status", nameless, when=99)
    org.bend("connect.rows", with_metadata(org), when=99)
    with org.client(transport=transport) as client:
        assert read_all(client) == list(range(10))
        again = client.reopen(QUERY_ID, transport=transport, sql_sha256="")
        assert values(list(again.batches())) == list(range(10))
        assert again.query_id == QUERY_ID


def with_metadata(org: FakeOrg) -> Bend:
    """A page of rows that names its columns unless it is asked not to."""

    def bend(call: Call, answer: httpx.Response) -> httpx.Response:
        if call.params.get("omitSchema") == "true":
            return answer
        return httpx.Response(200, json=answer.json() | {"metadata": org.metadata()})

    return bend


def test_a_running_connect_query_may_know_its_columns_later() -> None:
    org = FakeOrg(running=2)
    running = {"queryId": QUERY_ID, "completionStatus": "Running"}
    org.bend("connect.submit", instead(201, json={"data": [], "metadata": [], "status": running}))
    org.bend("connect.rows", with_metadata(org), when=99)
    with org.client(transport="json") as client:
        assert read_all(client) == list(range(10))


@pytest.mark.parametrize("inline", [0, 7])
def test_what_a_running_connect_query_gives_inline_is_no_measure_of_pages(inline: int) -> None:
    org = FakeOrg(rows=6000, page=2000, running=1, inline=inline)
    with org.client(transport="json") as client:
        assert read_all(client) == list(range(6000))
    assert org.count("connect.rows") == 3
