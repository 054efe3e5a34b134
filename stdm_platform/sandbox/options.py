"""What a sandbox org is started with, and which of it cannot be meant.

Belongs here: the options, their checks, and their form as command-line arguments. Does not: acting
on them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.faults import FAULT_PLAN_HELP, FaultPlan

Family = Literal["ssot", "std"]
DEFAULT_SESSIONS_PER_DAY = 200


@dataclass
class SandboxOptions:
    """How one sandbox org is made and served.

    `sessions_per_day` of None means 200, or no synthetic sessions when transcripts are given.
    `hide_objects` and `hide_columns` take catalog names or source names. `end` is the last UTC day
    that holds sessions; None is yesterday.
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
    until_stdin_closes: bool = False

    def checked(self, *, now: datetime | None = None) -> SandboxOptions:
        """These options with paths absolute and the end day decided.

        Raises:
            ArgumentError: a value cannot be meant; the message names flag and value.
        """
        today = (now or datetime.now(UTC)).date()
        self.end = self.end or today - timedelta(days=1)
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
        if self.end > today:
            raise ArgumentError(
                f"--end {self.end} is after today, {today} UTC.", action="Use a day that has begun."
            )
        if self.family not in get_args(Family):
            raise ArgumentError(f"--family {self.family!r} is unknown.", action="Use ssot or std.")
        self._check_org_id()
        self.data_dir = Path(self.data_dir).expanduser().absolute()
        if self.data_dir.exists() and not self.data_dir.is_dir():
            raise ArgumentError(f"--data {self.data_dir} is no directory.", action="Use another.")
        self.transcripts = _existing("--load-transcripts", self.transcripts)
        self.cert = _existing("--cert", self.cert)
        FaultPlan.parse(self.faults)
        return self

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
        }
        words = [f"{flag}={value}" for flag, value in flags.items() if value is not None]
        words += [f"--hide-object={name}" for name in self.hide_objects]
        words += [f"--hide-column={name}" for name in self.hide_columns]
        words += [f"--column-type={name}={type_}" for name, type_ in self.column_types.items()]
        switches = ("one_use_tokens", "tls", "cache_results", "until_stdin_closes")
        words += [f"--{name.replace('_', '-')}" for name in switches if getattr(self, name)]
        return words


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


class _Parser(argparse.ArgumentParser):
    """Argparse whose complaints are ours, with our exit code."""

    def error(self, message: str) -> Any:  # argparse types it NoReturn; raising is one
        raise ArgumentError(message + ".", action="See --help.")


def options_from_arguments(words: Sequence[str]) -> SandboxOptions:
    """The options of `python -m stdm_platform.sandbox`.

    Raises:
        ArgumentError: a flag is unknown or its value cannot be read.
    """
    given = vars(_parser().parse_args(words))
    given["hide_objects"] = tuple(given["hide_objects"])
    given["hide_columns"] = tuple(given["hide_columns"])
    given["column_types"] = dict(_pair(text) for text in given["column_types"])
    given["faults"] = read_fault_plan(given["faults"]) if given["faults"] else {}
    return SandboxOptions(**given)


def read_fault_plan(text: str) -> dict[str, Any]:
    """The plan in a JSON text or in the file of that name.

    Raises:
        ArgumentError: neither JSON nor a readable file of JSON.
    """
    try:
        if not text.lstrip().startswith(("{", "[")):
            text = Path(text).expanduser().read_text()
        plan = json.loads(text)
    except (OSError, ValueError) as error:
        raise ArgumentError(
            f"--faults cannot be read: {error}.", action="Give a JSON object or a file of one."
        ) from error
    return {"faults": plan} if isinstance(plan, list) else dict(plan)


def _pair(text: str) -> tuple[str, str]:
    name, equals, type_ = text.partition("=")
    if not equals:
        raise ArgumentError(f"--column-type {text!r} has no =.", action="Use DMO.COLUMN=TYPE.")
    return name, type_


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m stdm_platform.sandbox",
        description="A local Data 360 org on 127.0.0.1.",
        epilog=FAULT_PLAN_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", dest="data_dir", type=Path, required=True, help="directory of the org")
    add("--port", type=int, default=0, help="0 picks a free one")
    add("--days", type=int, default=7)
    add("--sessions-per-day", type=int, help="default 200, or none beside transcripts")
    add("--seed", type=int, default=1)
    add("--end", type=_day, metavar="YYYY-MM-DD", help="last day; default yesterday, UTC")
    add("--load-transcripts", dest="transcripts", type=Path, metavar="FILE")
    add("--cert", type=Path, metavar="FILE", help="your X.509 certificate, PEM")
    add("--faults", metavar="JSON|FILE", help="fault plan, see below")
    add("--family", choices=get_args(Family), default="ssot", help="names of objects and fields")
    add("--hide-object", dest="hide_objects", action="append", default=[], metavar="DMO")
    add("--hide-column", dest="hide_columns", action="append", default=[], metavar="DMO.COLUMN")
    add(
        "--column-type", dest="column_types", action="append", default=[], metavar="DMO.COLUMN=TYPE"
    )
    add("--org-id", help="default: made from directory and seed")
    add("--one-use-tokens", action="store_true", help="an org token can be exchanged once")
    add("--tls", action="store_true", help="the tenant host is a bare one that speaks TLS")
    add("--chunk-rows", type=int, default=100_000, help="most rows in a V3 chunk")
    add("--chunk-bytes", type=int, default=16_000_000, help="about the most bytes in a V3 chunk")
    add("--page-bytes", type=int, default=2_000_000, help="about the most bytes in a Connect page")
    add("--cache-results", action="store_true", help="same SQL again, same rows")
    add("--until-stdin-closes", action="store_true", help="end when the parent process does")
    return parser
