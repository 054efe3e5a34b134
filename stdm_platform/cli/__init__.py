"""The `stdm` command. Thin: it asks the rooms and prints what they return.

Belongs here: flags, formats, exit codes, progress. Does not: any work; a command that cannot be
called as a function of another room is in the wrong place.

Exit codes: 0 ok, 1 failure or differences, 2 authentication, 3 never extracted, 4 bad arguments.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from stdm_platform.errors import ArgumentError, StdmError

STOPPED = 130
"""What a shell says of a command that Ctrl-C ended."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every error becomes one readable line."""
    if sys.stderr is None:  # closed by the caller: what is said must not go among the data
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  open as long as the process
    from stdm_platform.cli.output import say

    refusal = _refusal(arguments)
    if refusal is not None:
        say(refusal)
        return ArgumentError.exit_code
    try:
        return _run(arguments)
    except BrokenPipeError:
        return _end_quietly()
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        reason = error.strerror or type(error).__name__
        say(
            f"stdm: the system refused{where}: {reason}. Mend that (space, rights, a port), run again."
        )
        _let_go_of_stdout()
        return StdmError.exit_code
    except SystemExit as stop:  # click makes one of a closed pipe, too
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        return _end_quietly()


def _run(arguments: list[str]) -> int:
    import click
    import typer

    from stdm_platform.cli.app import app
    from stdm_platform.cli.output import say

    try:
        result = app(arguments, standalone_mode=False)
    except StdmError as error:
        say(f"stdm: {error}")
        return error.exit_code
    except click.UsageError as error:
        if error.format_message():  # nothing beside the help that `stdm` alone has printed
            say(f"stdm: {error.format_message()} Try `stdm --help`.")
        return ArgumentError.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        result = STOPPED
    except (click.exceptions.Exit, typer.Exit) as stop:
        result = stop.exit_code
    if result == STOPPED:  # which typer, too, makes of an interruption
        say("stdm: stopped.")
    return result if isinstance(result, int) else 0


def _end_quietly() -> int:
    """The reader of our pipe has seen enough: what is still buffered goes nowhere, and all is well."""
    _let_go_of_stdout()
    return 0


def _let_go_of_stdout() -> None:
    """What is still buffered goes nowhere: writing it at the end would fail once more."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refusal(arguments: list[str]) -> str | None:
    """Why nothing can be run here, or with these arguments."""
    if sys.stdout is None:
        return "stdm: standard output is closed. Give it somewhere to go, if only /dev/null."
    if sys.platform == "win32":
        return "stdm runs on Linux and macOS. On Windows, use it in WSL: `wsl --install`."
    try:  # Python hands on bytes that it cannot decode as lone surrogates, which nothing else takes
        "".join(arguments).encode()
    except UnicodeEncodeError:
        return "stdm: an argument holds bytes that are no text in UTF-8. Write it anew."
    return None


__all__ = ["main", "run"]
