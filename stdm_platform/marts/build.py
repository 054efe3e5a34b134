"""Build marts and publish them: prepare, dbt, publish, under one lock.

Belongs here: the order of the steps, and dividing many days. Does not: any of the steps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache

import duckdb

from stdm_platform.errors import MartError
from stdm_platform.lake import Lake
from stdm_platform.marts.dbt_command import DbtOutcome, run_dbt
from stdm_platform.marts.digests import lake_days_of
from stdm_platform.marts.preparation import prepare
from stdm_platform.marts.publication import publish
from stdm_platform.marts.store import Generation, MartStore
from stdm_platform.settings import Settings

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 4_000_000
"""Lake rows of one dbt run; more days than that are built in several runs. A run costs 8 s however few its rows,
and spilling what many need costs as much: of days of 442,000 rows one took 15 s, three 25, seven 54, fourteen 113,
with 750 MB on 2 cores."""

Clock = Callable[[], datetime]
Progress = Callable[[Sequence[date]], None]
Watch = Callable[[DbtOutcome, Sequence[date]], None]


@dataclass
class BuildContext:
    """A build between its preparation and its publication.

    `days` are the session days that dbt builds: those asked for and those that share a session
    key with them. `generation` is set after the publication.
    """

    store: MartStore
    days: tuple[date, ...]
    lock: int
    generation: Generation | None = field(default=None)


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@contextmanager
def prepared_build(
    lake: Lake,
    store: MartStore,
    days: Iterable[date],
    *,
    settings: Settings,
    clock: Clock = utc_now,
) -> Iterator[BuildContext]:
    """Everything around dbt: lock, snapshot and control tables before it, publication after it.

    Run dbt inside, with `dbt_arguments` and `dbt_environment`. When the body raises, nothing is
    published and the last good marts stay.
    """
    with ExitStack() as stack:
        with telling_refusals(settings):
            lock = stack.enter_context(store.lock())
            inputs = prepare(lake, store, days, settings)
        context = BuildContext(store, inputs.days, lock)
        yield context
        with telling_refusals(settings):
            context.generation = publish(store, inputs, clock(), settings)


@contextmanager
def telling_refusals(settings: Settings) -> Iterator[None]:
    """Raise what disk and memory refuse as an error that a user can act on.

    Raises:
        MartError: the disk refused, or the memory was too little; what people read is whole.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise MartError(
            f"{reason}.", action=f"The last good marts stay. {_remedy([reason], settings)}"
        ).during("marts") from error
    except (OSError, duckdb.IOException) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise MartError(
            f"The disk refused: {reason}.",
            action="People read the last good marts or the new ones, whole. Free space or mend "
            "rights, run again.",
        ).during("marts") from error


def build_marts(
    lake: Lake,
    store: MartStore,
    days: Iterable[date],
    settings: Settings,
    progress: Progress | None = None,
    *,
    clock: Clock = utc_now,
    watch: Watch | None = None,
) -> Generation:
    """Build and publish the marts of these session days, in one dbt run or in several.

    `progress` is called with the days of each finished run, `watch` with what dbt came to, good or
    bad, and the days that it was about. Each run publishes on its own, so a
    stopped build keeps what it had finished.

    Raises:
        MartError: a model or a blocking test failed; the last good marts stay.
    """
    generation: Generation | None = None
    warnings: list[str] = []
    built: set[date] = set()
    for chunk in _chunks(lake, sorted(set(days))):
        with prepared_build(lake, store, chunk, settings=settings, clock=clock) as build:
            outcome = run_dbt(store, settings, build.lock)
            if watch is not None:
                watch(outcome, build.days)
            if outcome.failures:
                raise MartError(
                    f"{'; '.join(outcome.failures)}.",
                    action=f"The last good marts stay. {_remedy(outcome.failures, settings)}",
                ).during(f"marts of {_span(build.days)}")
        for warning in outcome.warnings:
            logger.warning("marts of %s: %s", _span(build.days), warning)
        warnings += outcome.warnings
        built.update(build.days)
        generation = build.generation
        if progress is not None:
            progress(build.days)
    if generation is None:
        raise MartError("No session day was named.", action="Name at least one day.")
    return replace(generation, built_days=tuple(sorted(built)), warnings=tuple(warnings))


def _chunks(lake: Lake, days: Sequence[date]) -> Iterator[list[date]]:
    """The days in order, as few runs as the rows allow; a lake day that two of them read counts once."""

    @cache
    def rows(name: str, lake_day: date) -> int:
        return sum(said.rows for _, said in lake.evidence_of_day(name, lake_day))

    chunk: list[date] = []
    read: set[tuple[str, date]] = set()
    for day in days:
        needed = set(lake_days_of(day))
        if chunk and sum(rows(*each) for each in read | needed) > ROWS_AT_ONCE:
            yield chunk
            chunk, read = [], set()
        chunk.append(day)
        read |= needed
    if chunk:
        yield chunk


def _span(days: Sequence[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _remedy(failures: Iterable[str], settings: Settings) -> str:
    if any("Out of Memory Error" in failure for failure in failures):
        return (
            f"A build may take STDM_DUCKDB_MEMORY_LIMIT={settings.duckdb_memory_limit}: "
            "allow it more, then run it again."
        )
    return (
        "Look at the failing model or test in dbt_models, and at the lake days that it reads; "
        "then run it again."
    )
