"""Every environment variable: name, meaning, unit, default. Secrets are masked.

Belongs here: reading the environment and refusing values that cannot be used. Does not: reading a
key file (`data360`), choosing days (`extraction`).

All variables start with `STDM_`; the field `login_url` is `STDM_LOGIN_URL`. With an org alias the
key and the consumer key are also found in `~/.sf/jwt/<alias>.key` and `<alias>.consumer-key`.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stdm_platform.errors import ArgumentError

QUARANTINE_LIMIT = 0.01
"""Share of a window's rows; see `guard.quarantine.tolerated`."""
ENV_PREFIX = "STDM_"
SEED_KEY_DIR = Path("~/.sf/jwt")


class Settings(BaseSettings):
    """The platform's settings, from the environment."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("stdm_data"), description="Directory of one org's lake and marts.")
    tables: str | None = Field(
        None,
        description="Tables to hold, like sessions,steps,generations. Default: all that the org has.",
    )
    start_date: date | None = Field(
        None, description="First UTC day to hold. Default: 7 days before the first run."
    )
    login_url: str | None = Field(None, description="Login URL, like https://login.salesforce.com.")
    jwt_audience: str | None = Field(None, description="`aud` of the JWT. Default: the login URL.")
    consumer_key: SecretStr | None = Field(None, description="Consumer key of the app.")
    username: str | None = Field(None, description="Salesforce user that the app acts for.")
    private_key_file: Path | None = Field(None, description="PEM file that only you may read.")
    private_key: SecretStr | None = Field(None, description="PEM text, instead of a file.")
    private_key_passphrase: SecretStr | None = Field(None, description="Passphrase of the key.")
    allow_shared_key_file: bool = Field(
        False, description="1 allows a key file that others may read (read-only mounted secrets)."
    )
    transport: Literal["auto", "arrow", "json"] = Field(
        "auto", description="arrow: Query API V3. json: Connect query-sql. auto: arrow, else json."
    )
    api_version: str = Field("66.0", description="Version of the Connect API.")
    dataspace: str | None = Field(None, description="Data space. Default: the org's default one.")
    text: Literal["keep", "none"] = Field(
        "keep", description="none: columns that hold text of conversations are never asked for."
    )
    connect_timeout_seconds: float = Field(10.0, gt=0, description="To open a connection.")
    read_timeout_seconds: float = Field(120.0, gt=0, description="To wait for the next bytes.")
    query_timeout_seconds: float = Field(1800.0, gt=0, description="To wait for one query's end.")
    max_attempts: int = Field(10, ge=1, description="Attempts for one request, the first included.")
    requests_in_flight: int = Field(4, ge=1, le=15, description="Requests at the same time.")
    tick_minutes: int = Field(60, ge=1, description="Minutes between ticks of the sensor.")
    daily_row_budget: int | None = Field(
        None,
        ge=1,
        description="Rows that Data 360 may process for ticks in a UTC day. Default: any.",
    )
    quarantine_limit: float = Field(
        QUARANTINE_LIMIT,
        ge=0,
        le=1,
        description="Share of a window's rows that may wait in quarantine before the day is refused; "
        "10 rows may, if they are at most half. 0: none.",
    )
    freshness_hours: float | None = Field(
        None,
        gt=0,
        description="Age from which an object counts as late. Default: what sensor or schedule promise.",
    )
    webhook_url: SecretStr | None = Field(
        None, description="Where failures and late objects are POSTed as JSON. A secret."
    )
    notifier: str | None = Field(
        None, description="One more way to notify: `package.module:factory` of your own."
    )
    asset_owner: str = Field(
        "team:data",
        description="Whom the Dagster UI names as owner of the assets: an e-mail address or `team:name`.",
    )
    duckdb_memory_limit: str = Field(
        "750MB",
        description="Memory of the DuckDB that builds marts; what needs more is spilled to disk.",
    )

    @field_validator("webhook_url")
    @classmethod
    def _http_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                parts = urlsplit(value.get_secret_value())
                is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
            except ValueError:
                is_address = False
            if not is_address:
                raise ValueError("no http or https address with a host")
        return value

    @field_validator("notifier")
    @classmethod
    def _factory_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", value):
            raise ValueError("write it like package.module:factory")
        return value

    @field_validator("asset_owner")
    @classmethod
    def _team_or_address(cls, value: str) -> str:
        if not re.fullmatch(r"team:[A-Za-z0-9_.-]+|[^@\s]+@[^@\s]+\.[^@\s]+", value):
            raise ValueError("write it like team:data or name@company.com")
        return value

    @field_validator("duckdb_memory_limit")
    @classmethod
    def _amount_of_memory(cls, value: str) -> str:
        if not re.fullmatch(r"\d+(\.\d+)?\s*([KMGT]i?B|%)", value.strip(), re.IGNORECASE):
            raise ValueError("write it like 4GB")
        return value

    @field_validator("api_version")
    @classmethod
    def _bare_version(cls, value: str) -> str:
        return value.removeprefix("v")

    def table_names(self) -> list[str]:
        """The tables to hold; none stands for all."""
        return [name.strip() for name in (self.tables or "").split(",") if name.strip()]

    def absolute_data_dir(self) -> Path:
        """The data directory as an absolute path."""
        return self.data_dir.expanduser().absolute()


def load_settings(
    *, org: str | None = None, data_dir: Path | None = None, **overrides: Any
) -> Settings:
    """The settings of the environment, with what the command line said put over them.

    Args:
        org: alias; finds keys in `~/.sf/jwt` and names the data directory `./stdm_data/<alias>`
            unless one is given.
        data_dir: directory from the command line.
        overrides: further fields; None leaves the environment's value.

    Raises:
        ArgumentError: a variable holds a value that cannot be used.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if data_dir is not None:
        given["data_dir"] = data_dir
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise _refused(error) from None
    settings = settings if org is None else _with_org(settings, org)
    path = settings.absolute_data_dir()
    if path.exists() and not path.is_dir():
        raise ArgumentError(
            f"The data directory {path} is a file.", action="Give another one (STDM_DATA_DIR)."
        )
    return settings


def _with_org(settings: Settings, org: str) -> Settings:
    if not org or "/" in org or org.startswith("."):
        raise ArgumentError(
            f"--org {org!r} is not an alias.", action="Use a plain name, like myorg."
        )
    found: dict[str, Any] = {}
    key_dir = SEED_KEY_DIR.expanduser()
    if settings.private_key_file is None and settings.private_key is None:
        key_file = key_dir / f"{org}.key"
        found["private_key_file"] = key_file if key_file.exists() else None
    consumer_key_file = key_dir / f"{org}.consumer-key"
    if settings.consumer_key is None and consumer_key_file.exists():
        found["consumer_key"] = SecretStr(consumer_key_file.read_text().strip())
    if "data_dir" not in settings.model_fields_set:
        found["data_dir"] = settings.data_dir / org
    return settings.model_copy(update=found)


def _refused(error: ValidationError) -> ArgumentError:
    """Name the variables, never their values: one of them may be a secret."""
    reasons = []
    for fault in error.errors(include_input=False, include_url=False):
        name = ENV_PREFIX + "_".join(str(part) for part in fault["loc"]).upper()
        reasons.append(f"{name}: {fault['msg']}")
    return ArgumentError(f"Settings cannot be used: {'; '.join(reasons)}.", action="Correct them.")
