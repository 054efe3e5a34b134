"""The command line of `python -m stdm_platform.sandbox`, read.

Belongs here: its flags, their help, and reading a fault plan. Does not: what the options mean and
how they become flags again (`options.py`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.billing import Billing
from stdm_platform.sandbox.clock import read_instant
from stdm_platform.sandbox.fault_kinds import FAULT_PLAN_HELP
from stdm_platform.sandbox.options import Family, SandboxOptions


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


def _instant(text: str) -> datetime:
    return read_instant("--clock", text)


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
    add("--cache-results", action="store_true", help="same SQL again, same rows for 24 h")
    add(
        "--rows",
        type=Path,
        metavar="FILE",
        help="a DuckDB file with the org's tables, served as is",
    )
    add("--memory", default="6GB", help="what the engine may hold, as DuckDB writes it")
    _add_time(add)
    add("--until-stdin-closes", action="store_true", help="end when the parent process does")
    return parser


def _add_time(add: Callable[..., object]) -> None:
    """The flags of the org's own time and of what it bills."""
    add(
        "--clock",
        type=_instant,
        metavar="INSTANT",
        help="rows become visible late, as in a real org, by a clock that begins here (UTC) and "
        "stands until it is moved: PUT /sandbox/control/clock; --end is then by default so that the "
        "first day is the clock's",
    )
    add("--clock-speed", type=float, default=0.0, help="clock seconds in a real second")
    add(
        "--longest-lag-hours",
        type=float,
        metavar="HOURS",
        help="no row lands later than so long after its instant; default an hour less than the "
        "settle time, more to have rows that come too late",
    )
    add(
        "--billing",
        choices=get_args(Billing),
        default="window",
        help="rowsProcessed: rows in the clock range that a query filters by, or of the whole object",
    )
