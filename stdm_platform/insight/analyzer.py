"""`Analyzer`: all of this room for notebooks.

Belongs here: the class that people import. Does not: its parts (`analyzer_*.py`), or any figure of its own:
each method calls the function that the command of the same question calls.

The examples in its docstrings run in the tests, on a lake of four sessions of an `Orders_Bot`: `s1` asks for an
order and returns it, which fails and is handed over; `s2` asks for an order; `s3` is a preview; `s4`, a
day later, gets an answer that the trust layer calls toxic.
"""

from __future__ import annotations

from stdm_platform.insight.analyzer_sessions import Sessions


class Analyzer(Sessions):
    """Ask a data directory from Python.

    `data_dir` defaults to `STDM_DATA_DIR`, else `./stdm_data`. `since` and `until` are UTC dates and bound the
    session days `[since, until)`; `agent` is one agent's API name. Previews (Builder, internal and
    evaluation channels) are left out of figures unless `previews`; lists show and mark them. `instance_url` is
    put before links to Salesforce. Frames are Polars: lazy for tables and marts, else collected. Nothing
    is ever written to the lake or to the marts.

    Raises:
        NotExtractedError: what a question needs was never extracted: no method answers with a zero that
            nobody counted.
        ArgumentError: the directory is a file, or the range is none.

    >>> analyzer = Analyzer("./stdm_data", since="2026-01-14", until="2026-01-16")
    >>> analyzer.session_summary().select("agent_name", "sessions", "turns_per_session").rows()
    [('Orders_Bot', 3, 1.33)]
    >>> analyzer.mart("turn_latency").select("session_id", "turn_number", "duration_ms").sort("duration_ms").collect()[-1].rows()
    [('s1', 2, 15000)]
    """
