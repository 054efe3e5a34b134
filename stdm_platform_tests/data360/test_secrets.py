"""No secret stands in any log line, repr, error or address."""

from __future__ import annotations

import logging
import traceback

import pytest

from stdm_platform.data360.masking import LONGEST_LINE, Masker
from stdm_platform.errors import StdmError
from stdm_platform_tests.data360.fake_org import (
    CONSUMER_KEY,
    FakeOrg,
    connection,
    cut,
    instead,
    pem,
    read_all,
)


def planted(org: FakeOrg) -> list[str]:
    secrets = [CONSUMER_KEY, "orgtoken", "tenanttoken", *pem().splitlines()[1:-1]]
    return secrets + [call.body["assertion"] for call in org.of("login")]


def test_no_secret_is_logged_or_part_of_an_address(caplog: pytest.LogCaptureFixture) -> None:
    org = FakeOrg(rows=20, chunks=[10, 10], running=1)
    org.bend("login", instead(503))
    org.bend("v3.chunk", cut)
    with caplog.at_level(logging.DEBUG):
        for transport in ("auto", "json"):
            with org.client(transport=transport) as client:
                read_all(client)
                org.kill_tokens()
                read_all(client)
    assert any(record.name == "httpx" for record in caplog.records)
    said = "\n".join(record.getMessage() + repr(record.args) for record in caplog.records)
    said += "\n".join(f"{call.raw_path}{call.params}" for call in org.calls)
    for secret in planted(org):
        assert secret not in said


def echo_everything(call: object, answer: object) -> object:
    """An org that repeats in its refusal whatever it was sent."""
    body = f"{call.body} {call.headers} {CONSUMER_KEY}"  # type: ignore[attr-defined]
    return instead(
        400, json={"error": "invalid_grant", "error_description": body, "message": body}
    )(
        call,
        answer,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("operation", ["login", "exchange", "v3.submit", "v3.chunk"])
def test_a_refusal_that_repeats_secrets_is_masked_in_the_error_and_its_traceback(
    operation: str,
) -> None:
    org = FakeOrg()
    org.bend(operation, echo_everything, when=99)  # type: ignore[arg-type]
    with org.client(transport="arrow") as client, pytest.raises(StdmError) as caught:
        read_all(client)
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    for secret in planted(org):
        assert secret not in said


def test_reprs_hold_no_secret() -> None:
    org = FakeOrg()
    with org.client(transport="arrow") as client:
        result = client.query("SELECT 1")
        said = f"{client!r} {connection()!r} {result!r} {vars(client)!r} {vars(client._tokens)!r}"
        said += f"{client._tokens.org()!r} {client._tokens.tenant()!r}"
    for secret in planted(org):
        assert secret not in said


def test_what_looks_like_a_token_is_masked_though_nobody_knew_it() -> None:
    masker = Masker("known-secret", "")
    masker.remember("later-secret")
    line = masker.line(
        "known-secret later-secret 00D000000000001!AQ.x_y eyJhbGciOi.abc.def Bearer abc\nnext 'quoted"
    )
    assert line == "*** *** *** *** Bearer *** next '…'"
    assert len(masker.line("x" * 1000)) == LONGEST_LINE


def test_names_in_quotes_stay_and_literals_go() -> None:
    line = Masker().line(
        "object type 'ssot__X__dlm' not found near 'secret__c text' or 'ssot__Y__c'"
    )
    assert line == "object type 'ssot__X__dlm' not found near '…' or 'ssot__Y__c'"
