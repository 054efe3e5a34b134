"""A local Data 360 org: a real HTTP server on loopback, its rows, its faults.

Belongs here: the server (tokens, Connect `query-sql`, Query API V3), the fault plan, the generator
of rows, the loader of transcripts. Does not: anything that reads an org; this room imports only
`catalog`, `settings` and `errors`.

Run it with `python -m stdm_platform.sandbox --data DIR`; `--help` shows the fault plan's form. It
writes `DIR/sandbox.env` before its port answers. `running` starts one in a process of its own.

With a clock (`SandboxOptions.clock`, `SandboxHandle.set_clock`, PUT /sandbox/control/clock) rows land
as late as `lags.py` says. What is visible at an instant, and all there is, a test asks so:

    handle.execute("SELECT * FROM truth.steps_at('2026-01-15T00:00:00Z')")     visible then, as it read
    handle.execute("SELECT * EXCLUDE (lands_at, settles_at) FROM truth.steps")   all, as it is in the end
    handle.execute("SELECT count(*) FROM truth.steps WHERE lands_at > '2026-01-15T00:00:00Z'")

A generated org also says what is planted in it, case by case; see `generator/planted.py` for the kinds:

    handle.execute("SELECT kind, session_id, step_id, value FROM sandbox_planted")
"""

from __future__ import annotations

from stdm_platform.sandbox.arguments import read_fault_plan
from stdm_platform.sandbox.clock import read_instant
from stdm_platform.sandbox.fault_kinds import FAULT_PLAN_HELP
from stdm_platform.sandbox.handle import SandboxHandle, read_env_file, running
from stdm_platform.sandbox.options import SandboxOptions
from stdm_platform.sandbox.server import Ready, serve

__all__ = [
    "FAULT_PLAN_HELP",
    "Ready",
    "SandboxHandle",
    "SandboxOptions",
    "read_env_file",
    "read_fault_plan",
    "read_instant",
    "running",
    "serve",
]
