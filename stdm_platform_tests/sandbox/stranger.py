"""A stranger's client, written from the Data 360 page alone: httpx, PyJWT, pyarrow, nothing of ours."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pyarrow as pa

ARROW = "application/vnd.apache.arrow.stream"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CDP = "urn:salesforce:grant-type:external:cdp"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
CONNECT = "/services/data/v66.0/ssot/query-sql"
V3 = "/api/v3/query"


class Stranger:
    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.http = httpx.Client(base_url=env["STDM_LOGIN_URL"], trust_env=False, timeout=30)
        self.org_token = ""
        self.tenant_token = ""

    def claims(self, **changed: Any) -> dict[str, Any]:
        return {
            "iss": self.env["STDM_CONSUMER_KEY"],
            "sub": self.env["STDM_USERNAME"],
            "aud": self.env["STDM_JWT_AUDIENCE"],
            "exp": int(time.time()) + 180,
            **changed,
        }

    def post_login(
        self, key: str | None = None, algorithm: str = "RS256", **changed: Any
    ) -> httpx.Response:
        key = key or Path(self.env["STDM_PRIVATE_KEY_FILE"]).read_text()
        claims = {
            name: value for name, value in self.claims(**changed).items() if value is not None
        }
        assertion = jwt.encode(claims, key, algorithm)
        form = {"grant_type": JWT_BEARER, "assertion": assertion}
        return self.http.post("/services/oauth2/token", data=form)

    def log_in(self) -> Stranger:
        answer = self.post_login()
        answer.raise_for_status()
        self.org_token = answer.json()["access_token"]
        answer = self.post_exchange()
        answer.raise_for_status()
        self.tenant_token = answer.json()["access_token"]
        return self

    def post_exchange(self, **changed: str) -> httpx.Response:
        form = {
            "grant_type": CDP,
            "subject_token": self.org_token,
            "subject_token_type": ACCESS_TOKEN,
            **changed,
        }
        return self.http.post("/services/a360/token", data=form)

    def connect(
        self, method: str = "POST", path: str = "", token: str | None = None, **given: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.org_token if token is None else token}"}
        return self.http.request(method, CONNECT + path, headers=headers, **given)

    def v3(
        self,
        method: str = "POST",
        path: str = "",
        accept: str = "application/json",
        token: str | None = None,
        **given: Any,
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self.tenant_token if token is None else token}",
            "Accept": accept,
        }
        return self.http.request(method, V3 + path, headers=headers, **given)

    def connect_rows(self, sql: str, parameters: Any = None) -> list[list[Any]]:
        """Section 2.5, to the letter."""
        answer = self.connect(json={"sql": sql, "sqlParameters": parameters or []})
        assert answer.status_code in {200, 201}, answer.text
        body = answer.json()
        status, rows = body["status"], body["data"]
        query_id = quote(status["queryId"], safe="")
        while status["completionStatus"].upper().replace("_", "") == "RUNNING":
            polled = self.connect("GET", f"/{query_id}", params={"waitTimeMs": 100}).json()
            status = polled.get("status", polled)
        while len(rows) < int(status["rowCount"]):
            params = {"offset": len(rows), "rowLimit": 5000, "omitSchema": "true"}
            page = self.connect("GET", f"/{query_id}/rows", params=params).json()
            assert page["data"], "an empty page before the end"
            rows += page["data"]
        return rows

    def v3_submit(
        self, sql: str, accept: str = "application/json", **fields: Any
    ) -> tuple[httpx.Response, dict[str, Any]]:
        answer = self.v3(json={"sql": sql, **fields}, accept=accept)
        assert answer.status_code == 200, answer.text
        return answer, status_in(answer)

    def v3_finished(self, status: dict[str, Any]) -> dict[str, Any]:
        while status["completionStatus"] == "RUNNING_OR_UNSPECIFIED":
            path = f"/{quote(status['queryId'], safe='')}"
            status = status_in(self.v3("GET", path, params={"waitTimeMs": 100}))
        return status

    def v3_rows_by_chunk(self, sql: str, **fields: Any) -> list[list[Any]]:
        _, status = self.v3_submit(sql, transferMode="ASYNC", **fields)
        status = self.v3_finished(status)
        rows: list[list[Any]] = []
        for number in range(int(status["chunkCount"])):
            path = f"/{quote(status['queryId'], safe='')}/chunks/{number}"
            rows += self.v3("GET", path).json()["data"]
        assert len(rows) == int(status["rowCount"])
        return rows

    def v3_arrow(self, sql: str, **fields: Any) -> pa.Table:
        _, status = self.v3_submit(sql, ARROW, transferMode="ASYNC", **fields)
        status = self.v3_finished(status)
        tables = []
        for number in range(int(status["chunkCount"])):
            path = f"/{quote(status['queryId'], safe='')}/chunks/{number}"
            answer = self.v3("GET", path, accept=ARROW)
            assert answer.headers["transfer-encoding"] == "chunked"
            tables.append(pa.ipc.open_stream(answer.content).read_all())
        return pa.concat_tables(tables)

    def v3_rows_by_offset(self, sql: str, limit: int = 400, **fields: Any) -> list[list[Any]]:
        answer, status = self.v3_submit(sql, **fields)
        status = self.v3_finished(status)
        rows = answer.json()["data"]
        while len(rows) < int(status["rowCount"]):
            path = f"/{quote(status['queryId'], safe='')}/rows"
            page = self.v3("GET", path, params={"offset": len(rows), "limit": limit}).json()
            assert page["returnedRows"] == len(page["data"]) > 0
            rows += page["data"]
        return rows


def status_in(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        answer.headers.get("x-hyperdb-status") or answer.headers["status"]
    )
    return found


def arrow_as_json(table: pa.Table) -> list[list[Any]]:
    """Arrow rows as the JSON of both planes spells them."""
    rows = []
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        rows.append([_spelled(value) for value in row])
    return rows


def _spelled(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
