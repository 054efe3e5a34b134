"""STDM Platform: turns the traces of AI agents into tables that people can trust and query.

The rooms, in the order in which data passes them: `catalog` says what a DMO is, `data360` asks the
org, `extraction` fetches windows, `guard` checks them, `lake` keeps them, `marts` builds and
publishes tables with dbt, `insight` asks those, `orchestration` and `cli` run it all. `sandbox` is
a local org to try it on.

    from stdm_platform import Analyzer
    Analyzer("./stdm_data").session_summary()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stdm_platform.insight.analyzer import Analyzer

__all__ = ["Analyzer"]


def __getattr__(name: str) -> Any:
    """Import `Analyzer` when it is asked for: the command and Dagster start without Polars' cost."""
    if name == "Analyzer":
        from stdm_platform.insight.analyzer import Analyzer

        return Analyzer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
