"""`python -m stdm_platform.sandbox`: a sandbox org in this process.

Belongs here: arguments, exit code. Does not: serving (`server.py`).
"""

from __future__ import annotations

import logging
import sys

from stdm_platform.errors import StdmError
from stdm_platform.sandbox.arguments import options_from_arguments
from stdm_platform.sandbox.server import Ready, serve


def main() -> int:
    """Serve until told to end; the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    try:
        serve(options_from_arguments(sys.argv[1:]), on_ready=_say)
    except StdmError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


def _say(ready: Ready) -> None:
    sys.stderr.write(f"Sandbox org {ready.org_id} at {ready.url}; settings in {ready.env_file}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
