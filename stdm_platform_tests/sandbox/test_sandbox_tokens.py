from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from stranger import JWT_BEARER, Stranger

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox import SandboxHandle

SQL = {"sql": "SELECT 1 AS one"}


def foreign_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def test_a_login_answers_without_expiry_and_names_the_org(sandbox: SandboxHandle) -> None:
    body = Stranger(sandbox.env).post_login().json()
    assert "expires_in" not in body
    assert "refresh_token" not in body
    assert body["token_type"] == "Bearer"
    assert body["instance_url"] == sandbox.url
    assert body["id"].split("/")[-2] == sandbox.org_id
    assert len(sandbox.org_id) == 18
    assert {"api", "cdp_query_api"} <= set(body["scope"].split())


def test_an_exchange_answers_a_tenant_token_signed_es256(stranger: Stranger) -> None:
    body = stranger.post_exchange().json()
    assert body["expires_in"] == 7193
    assert body["issued_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
    assert jwt.get_unverified_header(body["access_token"])["alg"] == "ES256"
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["aud"] == "api.a360.salesforce.com"
    assert claims["audienceTenantId"].startswith("a360/")
    assert claims["custom_attributes"] == {"dataspace": "default"}
    assert claims["exp"] - claims["iat"] == 7200


@pytest.mark.parametrize(
    ("changed", "error", "description"),
    [
        ({"exp": int(time.time()) - 600}, "invalid_grant", "expired authorization code"),
        ({"exp": int(time.time() + 180) * 1000}, "invalid_grant", "expired authorization code"),
        ({"exp": None}, "invalid_grant", "expired authorization code"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"prn": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://test.salesforce.com"}, "invalid_grant", "audience is invalid"),
        ({"aud": None}, "invalid_grant", "audience is invalid"),
        ({"key": foreign_key()}, "invalid_grant", "invalid assertion"),
        ({"key": "x" * 64, "algorithm": "HS256"}, "invalid_grant", "invalid assertion"),
        ({"iss": "3MVG9nobody"}, "invalid_client_id", "client identifier invalid"),
    ],
)
def test_each_bad_assertion_has_its_documented_answer(
    sandbox: SandboxHandle, changed: dict[str, Any], error: str, description: str
) -> None:
    answer = Stranger(sandbox.env).post_login(**changed)
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


@pytest.mark.parametrize(
    ("setting", "error", "description"),
    [
        ({"user_state": "locked"}, "invalid_grant", "user is locked"),
        ({"user_state": "not_approved"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"user_state": "inactive"}, "inactive_user", "user is inactive"),
        (
            {"app_state": "blocked"},
            "invalid_app_access",
            "user is not admin approved to access this app",
        ),
    ],
)
def test_each_state_of_user_and_app_has_its_documented_answer(
    sandbox: SandboxHandle, setting: dict[str, str], error: str, description: str
) -> None:
    sandbox.change_settings(**setting)
    answer = Stranger(sandbox.env).post_login()
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


def test_other_grants_and_nonsense_are_refused(stranger: Stranger) -> None:
    answer = stranger.http.post("/services/oauth2/token", data={"grant_type": "password"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    form = {"grant_type": JWT_BEARER, "assertion": "no.jwt"}
    answer = stranger.http.post("/services/oauth2/token", data=form)
    assert answer.json()["error_description"] == "invalid assertion"
    assert stranger.post_exchange(grant_type="other").status_code == 400
    assert stranger.post_exchange(subject_token_type="other").status_code == 400
    assert stranger.post_exchange(subject_token="other").status_code == 401
    assert stranger.post_exchange(dataspace="nowhere").status_code == 400
    assert stranger.post_exchange(dataspace="default").status_code == 200


def test_a_client_secret_logs_in_too(sandbox: SandboxHandle) -> None:
    stranger = Stranger(sandbox.env)
    form = {"grant_type": "client_credentials", "client_id": sandbox.env["STDM_CONSUMER_KEY"]}
    refused = stranger.http.post("/services/oauth2/token", data={**form, "client_secret": "no"})
    assert refused.json()["error"] == "invalid_client"
    secret = sandbox.client_secret()
    answer = stranger.http.post("/services/oauth2/token", data={**form, "client_secret": secret})
    stranger.org_token = answer.json()["access_token"]
    assert stranger.connect_rows("SELECT 1") == [[1]]


def test_a_token_on_the_other_plane_is_a_401_in_that_planes_shape(stranger: Stranger) -> None:
    answer = stranger.connect(json=SQL, token=stranger.tenant_token)
    assert answer.status_code == 401
    assert answer.json()[0]["errorCode"] == "INVALID_SESSION_ID"
    answer = stranger.v3(json=SQL, token=stranger.org_token)
    assert (answer.status_code, answer.json()["error"]) == (401, "UNAUTHENTICATED")
    assert stranger.connect(json=SQL, token="x").status_code == 401
    assert stranger.v3(json=SQL, token="x").status_code == 401


def test_a_missing_scope_is_a_403(sandbox: SandboxHandle) -> None:
    sandbox.change_settings(scopes="api refresh_token")
    stranger = Stranger(sandbox.env).log_in()
    answer = stranger.connect(json=SQL)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
    answer = stranger.v3(json=SQL)
    assert (answer.status_code, answer.json()["error"]) == (403, "PERMISSION_DENIED")


def test_the_older_spelling_of_the_scope_is_enough(sandbox: SandboxHandle) -> None:
    sandbox.change_settings(scopes="api cdpquery")
    stranger = Stranger(sandbox.env).log_in()
    assert stranger.connect_rows("SELECT 1") == [[1]]
    assert stranger.v3_rows_by_chunk("SELECT 1") == [[1]]


def test_an_unknown_data_space_is_refused(stranger: Stranger) -> None:
    for where in ({"params": {"dataspace": "x"}}, {"params": {"dataspaceName": "x"}}):
        answer = stranger.connect(json=SQL, **where)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "ITEM_NOT_FOUND")
    assert stranger.connect(json=SQL, params={"dataspace": "default"}).status_code == 201


def test_a_one_use_token_is_exchanged_once(sandbox: SandboxHandle) -> None:
    sandbox.change_settings(one_use_tokens=True)
    stranger = Stranger(sandbox.env).log_in()
    assert stranger.post_exchange().status_code == 400
    assert stranger.connect(json=SQL).status_code == 201


def test_dead_tokens_stay_dead(sandbox: SandboxHandle, stranger: Stranger) -> None:
    sandbox.kill_tokens()
    assert stranger.connect(json=SQL).status_code == 401
    assert stranger.v3(json=SQL).status_code == 401
    assert stranger.post_exchange().status_code == 401
    stranger.log_in()
    assert stranger.v3(json=SQL).status_code == 200


def test_an_org_token_ends_after_its_time(sandbox: SandboxHandle) -> None:
    sandbox.change_settings(org_token_seconds=0)
    stranger = Stranger(sandbox.env)
    stranger.org_token = stranger.post_login().json()["access_token"]
    assert stranger.connect(json=SQL).status_code == 401


def test_unknown_settings_are_refused(sandbox: SandboxHandle) -> None:
    for given in ({"user_state": "asleep"}, {"app_state": "asleep"}, {"colour": "red"}):
        with pytest.raises(ArgumentError):
            sandbox.change_settings(**given)


def test_another_host_name_for_this_port_is_refused(stranger: Stranger) -> None:
    answer = stranger.http.get("/sandbox/health", headers={"Host": "evil.example"})
    assert answer.status_code == 400
