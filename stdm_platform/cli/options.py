"""The flags that many commands share, and what they mean.

Belongs here: typer types of shared flags and the settings made from them. Does not: commands.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from stdm_platform.cli.output import Format
from stdm_platform.errors import ArgumentError
from stdm_platform.settings import Settings, load_settings


def _directory(text: str) -> Path:
    """An empty text, as an unset variable of a shell gives it, is not the working directory."""
    if not text.strip():
        raise ArgumentError("--data-dir is empty.", action="Give a directory, or leave it out.")
    return Path(text)


Org = Annotated[
    str | None,
    typer.Option(
        help="Alias: keys from ~/.sf/jwt/<alias>.key, data in ./stdm_data/<alias>.", metavar="ALIAS"
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Data directory, else STDM_DATA_DIR, else ./stdm_data.",
        parser=_directory,
        metavar="PATH",
    ),
]
OutputDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        "--output",
        help="Data directory, else STDM_DATA_DIR, else ./stdm_data.",
        parser=_directory,
        metavar="PATH",
    ),
]
Since = Annotated[
    str | None, typer.Option(help="First instant: UTC date or ISO instant.", metavar="DATE")
]
Until = Annotated[
    str | None,
    typer.Option(help="End, not included: --until 2026-01-15 leaves out the 15th.", metavar="DATE"),
]
SinceDay = Annotated[
    str | None,
    typer.Option("--since", help="First UTC day on which sessions started.", metavar="DATE"),
]
UntilDay = Annotated[
    str | None,
    typer.Option(
        "--until", help="UTC day that ends the range; sessions of it are left out.", metavar="DATE"
    ),
]
Days = Annotated[int | None, typer.Option(help="The last N UTC days, today included.", metavar="N")]
Tables = Annotated[
    list[str] | None,
    typer.Option("--table", help="Only this DMO; may be given again.", metavar="NAME"),
]
Agent = Annotated[str | None, typer.Option(help="Only this agent.", metavar="NAME")]
Previews = Annotated[
    bool, typer.Option("--previews", help="Count Builder and internal sessions as well.")
]
Limit = Annotated[
    int,
    typer.Option(min=0, max=10**12, help="Rows to show; the total stands on stderr.", metavar="N"),
]
Form = Annotated[Format, typer.Option("--format", help="What stdout gets.")]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show windows, queries and their cost; ask the org nothing."),
]
Now = Annotated[
    str | None,
    typer.Option(help="Clock of the plan and the evidence, for replays.", metavar="ISO-8601"),
]


def settings_for(org: str | None, data_dir: Path | None) -> Settings:
    """The settings of the environment with the shared flags over them."""
    return load_settings(org=org, data_dir=data_dir)


def clock(now: str | None) -> datetime:
    """The instant that the plan takes as now: `--now`, else the real one, in UTC.

    Raises:
        ArgumentError: the text is no ISO instant.
    """
    if now is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(now)
    except ValueError:
        raise ArgumentError(
            f"--now {now!r} is no ISO instant.", action="Write it like 2026-01-15T02:00:00Z."
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def day_of(flag: str, text: str | None) -> date | None:
    """A flag's UTC date, for commands that ask the marts by session day.

    Raises:
        ArgumentError: the text is no date.
    """
    if text is None:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ArgumentError(f"{flag} {text!r} is no UTC date.", action="Write it like 2026-01-15.")
