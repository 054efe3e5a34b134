"""What the org tells of itself: versions, user, data spaces, objects with their fields.

Belongs here: the small read-only resources that clients ask before or beside their queries, and
the revoking of tokens. Does not: queries, or how tokens are made (`auth.py`).
"""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stdm_platform.sandbox.auth import Tokens
from stdm_platform.sandbox.exposure import SCHEMA, ExposedObject
from stdm_platform.sandbox.http_forms import form_of
from stdm_platform.sandbox.org import Org
from stdm_platform.sandbox.refusals import Refusal, token_refused

VERSIONS = (("Spring '25", 63), ("Summer '25", 64), ("Winter '26", 65), ("Spring '26", 66))
CONNECT = "/services/data/{version}/ssot"
FIELD_TYPES = {"BOOLEAN": "BOOLEAN", "DATE": "DATE"}
NUMBERS = ("DOUBLE", "FLOAT", "DECIMAL", "HUGEINT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT")


class DescribePlane:
    """Serves what is not a query."""

    def __init__(self, org: Org, tokens: Tokens, url: str) -> None:
        self._org = org
        self._tokens = tokens
        self._url = url

    def routes(self) -> list[Route]:
        """All of them."""
        both = ["GET", "POST"]
        return [
            Route("/services/data", self.versions, methods=["GET"]),
            Route("/services/oauth2/revoke", self.revoke, methods=both),
            Route("/services/oauth2/userinfo", self.user, methods=both),
            Route("/id/{org_id}/{user_id}", self.user, methods=["GET"]),
            Route(CONNECT + "/metadata", self.objects, methods=["GET"]),
            Route(CONNECT + "/data-spaces", self.data_spaces, methods=["GET"]),
            Route("/api/v1/metadata", self.objects, methods=["GET"]),
        ]

    async def versions(self, _: Request) -> Response:
        """The API versions, for whoever asks."""
        return JSONResponse(
            [
                {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
                for label, number in VERSIONS
            ]
        )

    async def revoke(self, request: Request) -> Response:
        """Make a token dead."""
        token = (await form_of(request)).get("token", "")
        if not self._tokens.revoke(token):
            raise token_refused("unsupported_token_type", "this token type is not supported")
        return Response(status_code=200)

    async def user(self, request: Request) -> Response:
        """Who the org token is for."""
        self._check(request)
        identity = self._tokens.identity
        return JSONResponse(
            {
                "sub": f"{self._url}/id/{identity.org_id}/{identity.user_id}",
                "user_id": identity.user_id,
                "organization_id": identity.org_id,
                "preferred_username": identity.username,
                "username": identity.username,
                "active": True,
                "urls": {"rest": f"{self._url}/services/data/v{{version}}/"},
            }
        )

    async def data_spaces(self, request: Request) -> Response:
        """The data spaces by name."""
        self._check(request)
        names = self._tokens.access.data_spaces
        spaces = [{"name": name, "label": name, "status": "Active"} for name in names]
        return JSONResponse({"dataSpaces": spaces, "totalSize": len(spaces)})

    async def objects(self, request: Request) -> Response:
        """Objects with fields and keys: all, or the one of `entityName`."""
        self._check(request)
        wanted = request.query_params.get("entityName", "").lower()
        found = [one for name, one in self._org.objects.items() if wanted in ("", name)]
        if wanted and not found:
            raise Refusal(
                404, "DataModelEntity not found", code="ITEM_NOT_FOUND", state="NOT_FOUND"
            )
        return JSONResponse({"metadata": await run_in_threadpool(self._described, found)})

    def _check(self, request: Request) -> None:
        on_tenant = request.url.path.startswith("/api/")
        check = self._tokens.check_tenant if on_tenant else self._tokens.check_org
        check(request.headers.get("authorization"))

    def _described(self, objects: list[ExposedObject]) -> list[dict[str, Any]]:
        sql = (
            "SELECT column_name, data_type FROM duckdb_columns() "
            "WHERE schema_name = ? AND table_name = ? ORDER BY column_index"
        )
        with self._org.cursor() as cursor:
            return [
                _description(one, cursor.execute(sql, [SCHEMA, one.view]).fetchall())
                for one in objects
            ]


def _description(one: ExposedObject, columns: list[tuple[str, str]]) -> dict[str, Any]:
    """As orgs serve it: a type and a business type per field, nothing of nulls (2.8 of the page)."""
    dmo = one.dmo
    keys = [name for name, _ in columns if name in dmo[dmo.key].candidates]
    return {
        "name": one.name,
        "displayName": dmo.label,
        "category": "Unassigned",
        "fields": [
            {
                "name": name,
                "displayName": _label(name),
                "type": _field_type(type_),
                "businessType": _field_type(type_),
            }
            for name, type_ in columns
        ],
        "primaryKeys": [
            {"name": name, "displayName": _label(name), "indexOrder": str(place)}
            for place, name in enumerate(keys, 1)
        ],
        "relationships": [],
        "indexes": [],
    }


def _label(name: str) -> str:
    return name.partition("__")[2].removesuffix("__c") or name


def _field_type(type_: str) -> str:
    if type_.startswith("TIMESTAMP"):
        return "DATE_TIME"
    return "NUMBER" if type_.startswith(NUMBERS) else FIELD_TYPES.get(type_, "STRING")
