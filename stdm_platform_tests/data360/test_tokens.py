"""Logging in and exchanging: signed as documented, refused with the right next action."""

from __future__ import annotations

import time

import httpx
import jwt
import pytest

from stdm_platform.errors import AuthenticationError, UnavailableError
from stdm_platform_tests.data360.fake_org import (
    CONSUMER_KEY,
    ORG_ID,
    FakeOrg,
    html,
    instead,
    private_key,
    raising,
    read_all,
)

# The ids of one org; the last three characters say which of the others are capitals.
ORG_ID_15 = "00D5g000004XyZq"
ORG_ID_18 = "00D5g000004XyZqEAK"


def test_the_assertion_is_what_the_page_describes() -> None:
    org = FakeOrg()
    with org.client(audience="https://test.salesforce.com") as client:
        client.log_in()
    form = org.of("login")[0].body
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(
        form["assertion"],
        private_key().public_key(),
        algorithms=["RS256"],
        audience="https://test.salesforce.com",
    )
    assert claims["iss"] == CONSUMER_KEY
    assert claims["sub"] == "user@example.com"
    assert isinstance(claims["exp"], int)
    assert 100 < claims["exp"] - time.time() <= 121
    assert abs(claims["iat"] - time.time()) < 5
    assert claims["jti"]


def test_every_login_has_an_assertion_of_its_own() -> None:
    org = FakeOrg()
    org.bend("login", instead(503))
    with org.client() as client:
        client.log_in()
    first, second = (call.body["assertion"] for call in org.of("login"))
    assert first != second


def test_the_exchange_is_what_the_page_describes() -> None:
    org = FakeOrg()
    with org.client() as client:
        client.exchange()
    form = org.of("exchange")[0].body
    assert form["grant_type"] == "urn:salesforce:grant-type:external:cdp"
    assert form["subject_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert form["subject_token"] == "00D!orgtoken1"
    assert "dataspace" not in form


def test_the_org_id_comes_from_the_identity_url() -> None:
    org = FakeOrg()
    with org.client() as client:
        assert client.org_id == ORG_ID
        assert client.org_id == ORG_ID
    assert org.count("login") == 1
    org.bend(
        "login", lambda call, answer: httpx.Response(200, json=answer.json() | {"id": None}), when=9
    )
    with org.client() as client, pytest.raises(AuthenticationError, match="which org"):
        _ = client.org_id


@pytest.mark.parametrize(
    ("identity", "token"),
    [
        (ORG_ID_15, "x"),
        (ORG_ID_18, "x"),
        (None, f"{ORG_ID_15}!AQEAQ.planted"),
        ("", f"{ORG_ID_15}!AQEAQ.planted"),
    ],
)
def test_one_org_has_one_id_however_it_is_told(identity: str | None, token: str) -> None:
    org = FakeOrg()
    url = identity and f"https://login.example.com/id/{identity}/0055g00000ABCDEAA5"
    given = {"id": url, "access_token": token}
    org.bend("login", lambda _, answer: httpx.Response(200, json=answer.json() | given))
    with org.client() as client:
        assert client.org_id == ORG_ID_18


def test_web_pages_for_an_exchange_do_not_blame_the_login_url() -> None:
    org = FakeOrg()
    org.bend("exchange", html(200), when=99)
    with org.client() as client, pytest.raises(AuthenticationError, match="STDM_TRANSPORT=json"):
        client.exchange()


def test_a_refusal_in_json_is_read_whatever_its_type_says() -> None:
    org = FakeOrg()
    body = {"error": "invalid_request", "error_description": "CDP is off"}
    headers = {"content-type": "text/html; charset=UTF-8"}
    refused = httpx.Response(400, json=body, headers=headers)
    org.bend("exchange", lambda *_: refused, when=99)
    with org.client(transport="auto") as client:
        assert client.transport == "json"
        with pytest.raises(AuthenticationError, match="CDP is off"):
            client.exchange()


DOCUMENTED = [
    ("invalid_grant", "expired authorization code", "clock"),
    ("invalid_grant", "user hasn't approved this consumer", "Pre-authorise"),
    ("invalid_grant", "audience is invalid", "STDM_JWT_AUDIENCE"),
    ("invalid_grant", "user is locked", "unlock"),
    ("invalid_grant", "invalid assertion", "certificate"),
    ("invalid_grant", "invalid signature", "certificate"),
    ("invalid_grant", "ip restricted", "policy"),
    ("invalid_client_id", "client identifier invalid", "STDM_CONSUMER_KEY"),
    ("invalid_client", "invalid client credentials", "digital signatures"),
    ("unsupported_grant_type", "grant type not supported", "JWT Bearer Flow"),
    ("inactive_user", "user is inactive", "inactive: activate"),
    ("invalid_app_access", "user is not admin approved", "permission set or profile"),
    ("something_new", "a text that nobody saw", "stdm doctor"),
]


def refused(error: str, description: str | None) -> AuthenticationError:
    org = FakeOrg()
    body = {"error": error} | ({"error_description": description} if description else {})
    org.bend("login", instead(400, json=body), when=99)
    with org.client() as client, pytest.raises(AuthenticationError) as caught:
        client.log_in()
    assert org.count("login") == 1
    return caught.value


@pytest.mark.parametrize(("error", "description", "word"), DOCUMENTED)
def test_each_refusal_of_the_login_has_its_own_next_action(
    error: str, description: str, word: str
) -> None:
    caught = refused(error, description)
    assert word in caught.action
    assert description in caught.message
    assert caught.exit_code == 2


def test_no_two_documented_refusals_share_an_action_except_those_of_one_cause() -> None:
    actions = {refused(error, text).action for error, text, _ in DOCUMENTED}
    assert len(actions) == len(DOCUMENTED) - 1  # assertion and signature are one cause


def test_a_refusal_without_a_description_has_an_action_too() -> None:
    for error in ("invalid_grant", "invalid_client_id", "inactive_user"):
        assert refused(error, None).action


@pytest.mark.parametrize("operation", ["login", "exchange"])
@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_few_web_pages_are_outlived_and_many_are_named(operation: str, status: int) -> None:
    org = FakeOrg()
    org.bend(operation, html(status), when=4)
    with org.client(transport="arrow") as client:
        assert read_all(client) == list(range(10))
    org = FakeOrg()
    org.bend(operation, html(status), when=99)
    with org.client(transport="auto") as client, pytest.raises(AuthenticationError, match="HTML"):
        client.query("SELECT 1")
    assert org.count(operation) == 6


def test_a_good_answer_without_a_token_is_no_answer() -> None:
    org = FakeOrg()
    org.bend("login", instead(200, json={"scope": "api"}), when=99)
    with org.client() as client, pytest.raises(AuthenticationError, match="no JSON"):
        client.log_in()


def test_an_address_that_is_no_login_is_named_at_once() -> None:
    org = FakeOrg()
    org.bend("login", html(404), when=99)
    with org.client() as client, pytest.raises(AuthenticationError, match="STDM_LOGIN_URL"):
        client.log_in()
    assert org.count("login") == 1


def test_an_org_that_cannot_be_reached_is_unavailable_and_not_unauthorised() -> None:
    org = FakeOrg()
    org.bend("login", raising(httpx.ConnectError), when=99)
    with org.client(max_attempts=6) as client, pytest.raises(UnavailableError) as caught:
        client.log_in()
    assert "POST /services/oauth2/token failed 6 times" in str(caught.value)


def test_an_org_token_is_exchanged_only_once() -> None:
    org = FakeOrg(one_use=True)
    with org.client(transport="arrow") as client:
        client.log_in()
        read_all(client)
        org.kill_tokens()
        read_all(client)
    used = [call.body["subject_token"] for call in org.of("exchange")]
    assert len(set(used)) == len(used) == 2


@pytest.mark.parametrize("fault", [raising(httpx.ReadError), instead(503), html(200)])
def test_an_exchange_whose_answer_was_lost_is_made_again_with_a_fresh_login(fault: object) -> None:
    org = FakeOrg(one_use=True)  # the first exchange did use up the token
    org.bend("exchange", fault)  # type: ignore[arg-type]
    with org.client(transport="auto") as client:
        assert read_all(client) == list(range(10))
        assert client.transport == "arrow"
    assert org.count("login") == 2


def test_an_org_token_that_died_before_its_exchange_is_replaced() -> None:
    org = FakeOrg()
    with org.client(transport="arrow") as client:
        client.log_in()
        org.kill_tokens()
        client.exchange()
    assert org.count("login") == 2


def test_an_exchange_that_is_never_authorised_is_an_authentication_error() -> None:
    org = FakeOrg()
    org.bend("exchange", instead(401, json={"error": "invalid_token"}), when=99)
    with org.client(transport="auto") as client, pytest.raises(AuthenticationError, match="401"):
        client.query("SELECT 1")
    assert org.count("exchange") == 2


@pytest.mark.parametrize(("expires_in", "exchanges"), [("100", 2), (100, 2), (None, 1), ("x", 1)])
def test_a_data_360_token_is_renewed_before_it_expires(expires_in: object, exchanges: int) -> None:
    org = FakeOrg(expires_in=expires_in)
    with org.client(transport="arrow") as client:
        read_all(client)
        org.clock += 95
        read_all(client)
    assert org.count("exchange") == exchanges


def test_the_org_token_has_no_expiry_of_its_own() -> None:
    org = FakeOrg()
    with org.client(transport="json") as client:
        read_all(client)
        org.clock += 1_000_000
        read_all(client)
    assert org.count("login") == 1
