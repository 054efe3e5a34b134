"""`stdm sandbox serve`: a local Data 360 org.

Belongs here: its flags. Does not: the org (`sandbox`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stdm_platform.cli.options import day_of

if TYPE_CHECKING:
    from stdm_platform.sandbox import SandboxHandle, SandboxOptions

DEMO_ORG_ID = "00DSTDMDEMO0000EAA"
"""The org of `stdm demo` and `stdm dev --sandbox`: the same one in every directory."""


OF_ANOTHER_ORG = ("STDM_PRIVATE_KEY", "STDM_PRIVATE_KEY_PASSPHRASE", "STDM_DATASPACE")
"""Variables that `sandbox.env` lacks and that would win over it, or have no meaning there."""


def demo_org(data_dir: Path, last_day: date | None = None) -> SandboxOptions:
    """The sandbox org that lives inside a data directory, on a free port.

    Makes the directory, so that it is its owner's alone whoever writes into it first.
    """
    from stdm_platform.lake import make_private_folder
    from stdm_platform.sandbox import SandboxOptions

    make_private_folder(data_dir)
    return SandboxOptions(data_dir=data_dir / "sandbox", org_id=DEMO_ORG_ID, end=last_day)


def variables_of(org: SandboxHandle) -> dict[str, str]:
    """What leads to this org alone, in a shell that may be set up for another one."""
    return dict.fromkeys(OF_ANOTHER_ORG, "") | org.env


sandbox = typer.Typer(help="A local Data 360 org to try things on.", no_args_is_help=True)


@sandbox.callback()
def _group() -> None:
    """A local Data 360 org to try things on."""


@sandbox.command()
def serve(
    data: Annotated[Path, typer.Option(help="Directory of the org.", metavar="DIR")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8760,
    days: Annotated[int, typer.Option(help="Days of traces.", min=1)] = 7,
    sessions_per_day: Annotated[
        int | None, typer.Option(help="Sessions that start on each day. (default 200)", min=0)
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 1,
    end: Annotated[
        str | None, typer.Option(help="Last UTC day. (default yesterday)", metavar="DATE")
    ] = None,
    load_transcripts: Annotated[
        Path | None,
        typer.Option(
            help="JSON list of chat transcripts, instead of made-up sessions.", metavar="FILE"
        ),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(
            help="Certificate (PEM) of your own key, instead of a made one.", metavar="FILE"
        ),
    ] = None,
    family: Annotated[str, typer.Option(help="Object names: ssot or std.")] = "ssot",
    tls: Annotated[
        bool,
        typer.Option(
            "--tls",
            help="The tenant answers in TLS, for clients that insist on https:// (DIR/sandbox.tls.pem "
            "is its certificate: SSL_CERT_FILE).",
        ),
    ] = False,
    faults: Annotated[
        str | None, typer.Option(help="Fault plan: JSON text or a file.", metavar="PLAN")
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option(
            help="Show rows as late as a real org does, by a clock that begins at this instant (UTC) "
            "and stands until PUT /sandbox/control/clock moves it. Without --end the first day is "
            "then the clock's. Without --clock all rows are there at once.",
            metavar="ISO-8601",
        ),
    ] = None,
    clock_speed: Annotated[
        float,
        typer.Option(help="Clock seconds in a real second: 600 runs a day in 144 s.", min=0),
    ] = 0.0,
    longest_lag_hours: Annotated[
        float | None,
        typer.Option(
            help="With --clock: no row lands later after its instant. More than the settle time "
            "makes rows that come too late. (default an hour less than the settle time)",
            metavar="HOURS",
        ),
    ] = None,
    cache_results: Annotated[
        bool,
        typer.Option(
            "--cache-results", help="Answer identical SQL from a stale cache for 24 h of the org's."
        ),
    ] = False,
    billing: Annotated[
        str,
        typer.Option(
            help="What rowsProcessed counts: window (rows in the clock range that the query filters "
            "by) or object (all rows of the object)."
        ),
    ] = "window",
) -> None:
    """Serve a Data 360 org on loopback until SIGTERM or Ctrl-C.

    DIR/sandbox.env then holds the variables with which any client, ours included, can reach it:

    stdm sandbox serve --data ./org &
    set -a; . ./org/sandbox.env; set +a; stdm doctor
    """
    from stdm_platform.sandbox import SandboxOptions, read_fault_plan, read_instant
    from stdm_platform.sandbox import serve as serve_org

    options = SandboxOptions(
        port=port,
        data_dir=data,
        days=days,
        sessions_per_day=sessions_per_day,
        seed=seed,
        end=day_of("--end", end),
        transcripts=load_transcripts,
        cert=cert,
        family=family,  # type: ignore[arg-type]  # checked by the options themselves
        tls=tls,
        faults=read_fault_plan(faults) if faults else {},
        clock=read_instant("--clock", clock) if clock else None,
        clock_speed=clock_speed,
        longest_lag_hours=longest_lag_hours,
        cache_results=cache_results,
        billing=billing,  # type: ignore[arg-type]  # checked by the options themselves
    )
    serve_org(options)
