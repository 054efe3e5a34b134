"""Faults that pass: the lake holds the same rows as after an undisturbed run.

Each test reads the sandbox's counters: a fault that was not served proves nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.faults.world import (
    SINCE,
    UNTIL,
    Rows,
    client,
    environment,
    extract,
    lake_rows,
    leftovers,
    stdm,
)

# name: the plan, and the transports on which a client can meet it
PLANS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "429 with seconds": ([{"kind": "rate_limit_seconds", "every": 3, "seconds": 2}], "both"),
    "429 with a date": ([{"kind": "rate_limit_date", "every": 3, "seconds": 2}], "both"),
    "500": ([{"kind": "server_error", "every": 3}], "both"),
    "502": ([{"kind": "server_error", "every": 3, "status": 502}], "both"),
    "503 as HTML": ([{"kind": "unavailable_html", "every": 3}], "both"),
    "HTML instead of a token": ([{"kind": "html", "on": "token.login", "first": 3}], "both"),
    "HTML 401 instead of a tenant token": (
        [{"kind": "html", "on": "token.exchange", "first": 2, "status": 401}],
        "arrow",
    ),
    "reset before the work": ([{"kind": "reset", "every": 3}], "both"),
    "reset after the work": ([{"kind": "reset", "every": 3, "when": "after"}], "both"),
    "cut body": ([{"kind": "cut", "every": 3}], "both"),
    "cut body with a reset": ([{"kind": "cut", "every": 3, "how": "reset"}], "both"),
    "short pages": ([{"kind": "short_page"}], "json"),
    "empty pages": ([{"kind": "empty_page", "every": 2}], "json"),
    "empty first chunks": ([{"kind": "empty_first_chunk"}], "arrow"),
    "tokens dead mid-way": ([{"kind": "unauthorized", "on": "*.*", "at": [4, 9, 23]}], "both"),
    "tokens for one use": (
        [
            {"kind": "one_use", "on": "token.exchange"},
            {"kind": "unauthorized", "on": "v3.*", "at": [4, 15]},
        ],
        "arrow",
    ),
    "polls": ([{"kind": "running", "polls": 3}], "both"),
    "lost query ids": ([{"kind": "query_lost", "on": ["*.chunk", "*.rows"], "at": [0, 5]}], "both"),
    "odd status forms": (
        [
            {"kind": "running"},
            {"kind": "wrapped_status"},
            {"kind": "numbers_as_strings"},
            {"kind": "status_header", "every": 2},
        ],
        "both",
    ),
}
CASES = [
    (name, transport)
    for name, (_, where) in PLANS.items()
    for transport in ("arrow", "json")
    if where in ("both", transport)
]
ONLY_ARROW = {"status_header", "empty_first_chunk", "one_use"}


@pytest.mark.parametrize(("name", "transport"), CASES)
def test_a_fault_that_passes_changes_nothing(
    org: SandboxHandle, tmp_path: Path, undisturbed: Rows, name: str, transport: str
) -> None:
    plan, _ = PLANS[name]
    org.set_faults(plan)
    waits: list[float] = []
    with client(org, transport, waits) as asked:
        outcomes = extract(asked, tmp_path)
    assert {o.status for o in outcomes} == {"published"}, [o.describe() for o in outcomes]
    assert lake_rows(tmp_path) == undisturbed
    assert leftovers(tmp_path) == []
    expected = {fault["kind"] for fault in plan} - (ONLY_ARROW if transport == "json" else set())
    assert {kind for kind, served in org.served().items() if served} == expected
    if name.startswith("429"):
        assert sum(wait >= 2 for wait in waits) == sum(org.served().values())


def test_a_dead_token_costs_one_login_each_time(org: SandboxHandle, tmp_path: Path) -> None:
    org.set_faults([{"kind": "unauthorized", "on": "v3.*", "at": [4, 20]}])
    with client(org) as asked:
        extract(asked, tmp_path)
    assert org.served() == {"unauthorized": 2}
    operations = [entry["operation"] for entry in org.requests()]
    # Threads whose token died with that of another one find the renewed token.
    assert operations.count("token.exchange") == 3


TRANSIENT: dict[str, list[dict[str, Any]]] = {
    "arrow": [
        {"kind": "rate_limit_seconds"},
        {"kind": "rate_limit_date"},
        {"kind": "server_error"},
        {"kind": "server_error", "status": 503},
        {"kind": "unavailable_html"},
        {"kind": "html"},
        {"kind": "reset"},
        {"kind": "reset", "when": "after"},
        {"kind": "cut"},
        {"kind": "cut", "how": "reset"},
        {"kind": "empty_first_chunk"},
        {"kind": "unauthorized"},
        {"kind": "one_use"},
        {"kind": "running"},
        {"kind": "query_lost", "on": ["*.chunk", "*.rows"], "times": 2},
    ],
}
TRANSIENT["json"] = [
    {"kind": "short_page"},
    {"kind": "empty_page"},
    *(fault for fault in TRANSIENT["arrow"] if fault["kind"] not in ONLY_ARROW),
]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_one_request_in_three_may_fail_in_every_way_at_once(
    org: SandboxHandle, tmp_path: Path, undisturbed: Rows, transport: str, seed: int
) -> None:
    faults = TRANSIENT[transport]
    org.set_faults({"seed": seed, "share": 0.33, "faults": faults})
    for run in range(5):
        with client(org, transport) as asked:
            outcomes = extract(asked, tmp_path / str(run))
        assert {o.status for o in outcomes} == {"published"}, [o.describe() for o in outcomes]
        assert lake_rows(tmp_path / str(run)) == undisturbed
        if all(fault["served"] for fault in org.faults()["faults"]):
            break
    unserved = [fault for fault in org.faults()["faults"] if not fault["served"]]
    assert unserved == []
    assert sum(org.served().values()) >= 0.2 * len(org.requests())


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_the_command_outlives_faults_with_its_defaults(
    org: SandboxHandle, tmp_path: Path, undisturbed: Rows, transport: str
) -> None:
    faults = [
        {**fault, **({"seconds": 0.2} if fault["kind"] == "rate_limit_seconds" else {})}
        for fault in TRANSIENT[transport]
        if fault["kind"] != "rate_limit_date"  # a second at least, each time
    ]
    org.set_faults({"share": 0.33, "faults": faults})
    variables = environment(org, tmp_path, STDM_TRANSPORT=transport)
    ended = stdm(variables, "extract", "--no-marts", "--since", SINCE, "--until", UNTIL)
    assert ended.returncode == 0, ended.stderr
    assert lake_rows(tmp_path) == undisturbed
    assert sum(org.served().values()) >= len(faults)
