"""What a sandbox org is started with, and which of it cannot be meant.

Belongs here: the options, their checks, and their form as command-line arguments. Does not: acting
on them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.billing import Billing, check_billing
from stdm_platform.sandbox.clock import iso, read_speed
from stdm_platform.sandbox.faults import FaultPlan

Family = Literal["ssot", "std"]
DEFAULT_SESSIONS_PER_DAY = 200


@dataclass
class SandboxOptions:
    """How one sandbox org is made and served.

    `sessions_per_day` of None means 200, or no synthetic sessions when transcripts are given.
    `hide_objects` and `hide_columns` take catalog names or source names. `end` is the last UTC day
    that holds sessions; None is yesterday, or with a clock so that the first day is the clock's.

    `clock` (aware UTC) makes rows become visible as late as `lags.py` says, at the latest
    `longest_lag_hours` after their instant; None shows all rows. `clock_speed` is clock seconds in
    a real second, 0 a clock that stands until it is moved. `billing` is what `rowsProcessed` counts.

    `rows` is a DuckDB file of the caller's with tables named as in the catalog, served as it is in
    the place of made rows. `memory` is what the engine may hold, as DuckDB writes it.
    """

    data_dir: Path
    port: int = 0
    days: int = 7
    sessions_per_day: int | None = None
    seed: int = 1
    end: date | None = None
    transcripts: Path | None = None
    cert: Path | None = None
    faults: dict[str, Any] = field(default_factory=dict)
    family: Family = "ssot"
    hide_objects: tuple[str, ...] = ()
    hide_columns: tuple[str, ...] = ()
    column_types: dict[str, str] = field(default_factory=dict)
    org_id: str | None = None
    one_use_tokens: bool = False
    tls: bool = False
    chunk_rows: int = 100_000
    chunk_bytes: int = 16_000_000
    page_bytes: int = 2_000_000
    cache_results: bool = False
    clock: datetime | None = None
    clock_speed: float = 0.0
    longest_lag_hours: float | None = None
    billing: Billing = "window"
    rows: Path | None = None
    memory: str = "6GB"
    until_stdin_closes: bool = False

    def checked(self, *, now: datetime | None = None) -> SandboxOptions:
        """These options with paths absolute and the end day decided.

        Raises:
            ArgumentError: a value cannot be meant; the message names flag and value.
        """
        today = (now or datetime.now(UTC)).date()
        self.end = self.end or self._usual_end(today)
        _at_least("--port", self.port, 0)
        if self.port > 65535:
            raise ArgumentError(f"--port {self.port} is not a port.", action="Use 0 to 65535.")
        _at_least("--days", self.days, 1)
        if self.days > 10_000:
            raise ArgumentError(f"--days {self.days} is more than 10000.", action="Use fewer days.")
        if self.sessions_per_day is not None:
            _at_least("--sessions-per-day", self.sessions_per_day, 0)
        _at_least("--chunk-rows", self.chunk_rows, 1)
        _at_least("--chunk-bytes", self.chunk_bytes, 1)
        _at_least("--page-bytes", self.page_bytes, 1)
        if self.end > today and self.clock is None:
            raise ArgumentError(
                f"--end {self.end} is after today, {today} UTC.", action="Use a day that has begun."
            )
        if self.family not in get_args(Family):
            raise ArgumentError(f"--family {self.family!r} is unknown.", action="Use ssot or std.")
        self._check_org_id()
        self._check_time()
        self.data_dir = Path(self.data_dir).expanduser().absolute()
        if self.data_dir.exists() and not self.data_dir.is_dir():
            raise ArgumentError(f"--data {self.data_dir} is no directory.", action="Use another.")
        self.transcripts = _existing("--load-transcripts", self.transcripts)
        self.cert = _existing("--cert", self.cert)
        self.rows = _existing("--rows", self.rows)
        FaultPlan.parse(self.faults)
        return self

    def _usual_end(self, today: date) -> date:
        if self.clock is None or not 1 <= self.days <= 10_000:
            return today - timedelta(days=1)
        return self.clock.astimezone(UTC).date() + timedelta(days=self.days - 1)

    def _check_time(self) -> None:
        read_speed("--clock-speed", self.clock_speed)
        if self.clock is not None and self.clock.tzinfo is None:
            raise ArgumentError(f"--clock {self.clock} has no time zone.", action="Give UTC.")
        if self.clock is None and self.clock_speed:
            raise ArgumentError("--clock-speed has no clock to run.", action="Give --clock too.")
        check_longest_lag(self.longest_lag_hours)
        check_billing(self.billing)

    def _check_org_id(self) -> None:
        org_id = self.org_id
        if org_id is not None and not (
            org_id.isascii()
            and org_id.isalnum()
            and org_id.startswith("00D")
            and len(org_id) in {15, 18}
        ):
            raise ArgumentError(
                f"--org-id {org_id!r} is no org id.", action="Use 15 or 18 characters from 00D on."
            )

    @property
    def last_day(self) -> date:
        """The last UTC day that holds sessions."""
        if self.end is None:
            raise ArgumentError("--end is not decided.", action="Call checked() first.")
        return self.end

    @property
    def synthetic_sessions_per_day(self) -> int:
        """Sessions to make each day; none beside transcripts unless asked for."""
        if self.sessions_per_day is not None:
            return self.sessions_per_day
        return 0 if self.transcripts else DEFAULT_SESSIONS_PER_DAY

    def arguments(self) -> list[str]:
        """The command line that gives these options."""
        flags: dict[str, object] = {
            "--data": self.data_dir,
            "--port": self.port,
            "--days": self.days,
            "--sessions-per-day": self.sessions_per_day,
            "--seed": self.seed,
            "--end": self.end,
            "--load-transcripts": self.transcripts,
            "--cert": self.cert,
            "--faults": json.dumps(self.faults) if self.faults else None,
            "--family": self.family,
            "--org-id": self.org_id,
            "--chunk-rows": self.chunk_rows,
            "--chunk-bytes": self.chunk_bytes,
            "--page-bytes": self.page_bytes,
            "--clock": iso(self.clock) if self.clock else None,
            "--clock-speed": self.clock_speed,
            "--longest-lag-hours": self.longest_lag_hours,
            "--billing": self.billing,
            "--rows": self.rows,
            "--memory": self.memory,
        }
        words = [f"{flag}={value}" for flag, value in flags.items() if value is not None]
        words += [f"--hide-object={name}" for name in self.hide_objects]
        words += [f"--hide-column={name}" for name in self.hide_columns]
        words += [f"--column-type={name}={type_}" for name, type_ in self.column_types.items()]
        switches = ("one_use_tokens", "tls", "cache_results", "until_stdin_closes")
        words += [f"--{name.replace('_', '-')}" for name in switches if getattr(self, name)]
        return words


def check_longest_lag(hours: object) -> None:
    """Refuse a longest lag that cannot be meant; None is the usual one.

    Raises:
        ArgumentError: it is no number of hours from 1 to 10000.
    """
    if hours is not None and not (isinstance(hours, int | float) and 1 <= hours <= 10_000):
        raise ArgumentError(f"--longest-lag-hours {hours} cannot be.", action="Use 1 to 10000.")


def _at_least(flag: str, value: int, floor: int) -> None:
    if value < floor:
        raise ArgumentError(f"{flag} {value} is too small.", action=f"Use {floor} or more.")


def _existing(flag: str, path: Path | None) -> Path | None:
    if path is None:
        return None
    path = Path(path).expanduser().absolute()
    if not path.is_file():
        raise ArgumentError(f"{flag} {path} is no file.", action="Check the path.")
    return path
