"""What extracting commands show: progress, a closing table, what was refused, a dry run.

Belongs here: wording and tables that they share. Does not: extracting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from stdm_platform.cli.output import say, show_table, show_text
from stdm_platform.cli.progress import progress_bar
from stdm_platform.errors import ContractError

if TYPE_CHECKING:
    from datetime import date

    from stdm_platform.catalog import Dmo
    from stdm_platform.extraction import DayOutcome, Plan
    from stdm_platform.lake import Lake

WINDOWS = pl.Schema(
    {
        "table": pl.String(),
        "start": pl.Datetime("ms", "UTC"),
        "end": pl.Datetime("ms", "UTC"),
        "why": pl.String(),
        "rows_processed": pl.Int64(),
    }
)


@contextmanager
def progress_of(total: int) -> Iterator[Callable[[DayOutcome], None]]:
    """A bar on stderr; gives what to call with each outcome."""
    with progress_bar("extracting", total) as advance:
        yield lambda outcome: advance(place=f"{outcome.dmo.name} {outcome.day}")


def show_dry_run(plan: Plan, dmos: Sequence[Dmo], text: str) -> None:
    """The windows, what they would cost, and the query of each object; nobody is asked."""
    from stdm_platform.extraction import expected_shape, window_query

    rows = [
        (each.dmo, each.window.start, each.window.end, each.reason, each.rows_processed)
        for each in plan.due
    ]
    show_table(pl.DataFrame(rows, schema=WINDOWS, orient="row"), title="Windows to read")
    for dmo in dmos:
        first = next((each.window for each in plan.due if each.dmo == dmo.name), None)
        if first is not None:
            sql, parameters = window_query(expected_shape(dmo), first, text=text, nonce=0)
            values = ", ".join(repr(parameter.value) for parameter in parameters)
            show_text(f"-- {dmo.name}, ? = {values} for the first window\n{sql};\n")
    costs = [each.rows_processed for each in plan.due]
    known = f"about {plan.rows_processed:,} rows processed"
    cost = "of unknown cost" if costs and set(costs) == {None} else known
    say(
        f"Nothing was asked. {len(plan.due)} windows, {cost}. Names are those of the catalog; the org "
        "may spell them otherwise."
    )


def closing_table(
    outcomes: Sequence[DayOutcome], why: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """One row per object; `why` says what of it was due."""
    by_table: dict[str, list[DayOutcome]] = {}
    for outcome in outcomes:
        by_table.setdefault(outcome.dmo.name, []).append(outcome)
    return pl.DataFrame(
        [
            {
                "table": name,
                **({} if why is None else {"why": why.get(name)}),
                "days": len(of_table),
                "rows": sum(outcome.rows for outcome in of_table),
                "quarantined": sum(outcome.quarantined for outcome in of_table),
                "rows_processed": sum(outcome.rows_processed or 0 for outcome in of_table),
                "megabytes": round(sum(outcome.bytes for outcome in of_table) / 1e6, 2),
                "status": ", ".join(
                    f"{sum(o.status == status for o in of_table)} {status}"
                    for status in sorted({outcome.status for outcome in of_table})
                ),
                "absent": ", ".join(sorted({c for o in of_table for c in o.absent_columns}))
                or None,
            }
            for name, of_table in by_table.items()
        ]
    )


def say_what_is_unusual(lake: Lake, outcomes: Sequence[DayOutcome]) -> None:
    """One line on stderr for each figure of a day just read that is beyond its range."""
    from stdm_platform.guard import judged_days

    read: dict[str, list[date]] = {}
    for outcome in outcomes:
        if outcome.status == "published":
            read.setdefault(outcome.dmo.name, []).append(outcome.day)
    for each in judged_days(lake, read):
        if each.judged.fired:
            say(f"warning: {each.describe()}")


def raise_what_failed(outcomes: Sequence[DayOutcome]) -> None:
    """Say what was refused or failed, and end with its exit code."""
    refused = [outcome for outcome in outcomes if outcome.status == "refused"]
    failed = [outcome.error for outcome in outcomes if outcome.error is not None]
    for outcome in outcomes:
        if outcome.verdict is not None and outcome.verdict.set_aside and outcome.quarantined:
            say(outcome.verdict.describe_quarantine())
    for outcome in refused:
        say(f"refused: {outcome.describe()}")
    for error in failed:
        say(f"failed: {error}")
    if failed:
        raise failed[0]
    if refused:
        days = ", ".join(f"{outcome.dmo.name} of {outcome.day}" for outcome in refused[:5])
        raise ContractError(
            f"{len(refused)} of {len(outcomes)} days were refused ({days}); their old rows stay.",
            action="Look at refused/ in the data directory, mend the source, extract the days again.",
        )
