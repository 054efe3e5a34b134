"""One daily-partitioned asset per DMO, with its contract and its vocabulary as checks.

Belongs here: turning the outcomes of `extraction` into Dagster events, one evaluation and one
materialization per day. Does not: extracting, checking or storing anything itself.

A range of days is one run. A refused day keeps its old windows: the good days are materialized, the
refused ones are not, and the step fails naming them, because a failed blocking check stops the marts.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from stdm_platform.catalog import Dmo
from stdm_platform.errors import (
    IncompleteResultError,
    QueryExpiredError,
    StdmError,
    UnavailableError,
)
from stdm_platform.extraction import DayOutcome, extract_range, windows_of_days
from stdm_platform.marts.digests import LakeDigests, lake_digests
from stdm_platform.orchestration.catalog_page import described_dmo, dmo_metadata
from stdm_platform.orchestration.day_events import SAID_ALREADY, lake_day_event
from stdm_platform.orchestration.figure_checks import FigureChecks, figure_specs
from stdm_platform.orchestration.instance import SOURCE_POOL
from stdm_platform.orchestration.liveness import show_alive
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.tables import (
    metadata_of_day,
    quarantine_metadata,
    vocabulary_metadata,
)
from stdm_platform.orchestration.ticks import extract_due, tick_of_run

CONTRACT, VOCABULARY, QUARANTINE = "contract", "vocabulary", "quarantine"
NAMED_DAYS = 5
"""Bad days that a failure describes; its metadata lists all of them."""

RETRIES = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For a source that outlived the client's own attempts; finished windows are not read again."""


def dmo_asset(dmo: Dmo, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset `stdm/<name>` of one DMO."""
    key = dg.AssetKey(["stdm", dmo.name])

    @dg.asset(
        key=key,
        description=described_dmo(dmo),
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        pool=SOURCE_POOL,
        group_name="stdm",
        kinds={"salesforce", "parquet"},
        output_required=False,
        check_specs=[
            dg.AssetCheckSpec(
                CONTRACT,
                asset=key,
                blocking=True,
                description="Columns, types, nulls, unique key and clock of every window, before it is visible.",
            ),
            dg.AssetCheckSpec(
                VOCABULARY,
                asset=key,
                description="Values that the catalog has not seen yet. News, not an error.",
            ),
            dg.AssetCheckSpec(
                QUARANTINE,
                asset=key,
                description="Rows that cannot be trusted and are kept aside, up to STDM_QUARANTINE_LIMIT.",
            ),
            *figure_specs(key),
        ],
        metadata=dmo_metadata(dmo),
    )
    def asset(
        context: dg.AssetExecutionContext, platform: Platform
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        outcomes, lake = _extract(context, platform, dmo), platform.lake()
        figures = FigureChecks(lake, dmo, outcomes.values())
        yield from _report(context, key, outcomes, lake_digests(lake), figures)

    return asset


def _extract(
    context: dg.AssetExecutionContext, platform: Platform, dmo: Dmo
) -> dict[date, DayOutcome]:
    settings, now = platform.settings(), platform.now()
    days = [date.fromisoformat(partition) for partition in context.partition_keys]
    try:
        show_alive(settings.absolute_data_dir(), context.run_id)
        tick = tick_of_run(context.run)
        with platform.org() as org:
            if tick is not None:
                return extract_due(org, platform.lake(), settings, dmo, days, tick)
            outcomes = extract_range(
                org,
                platform.lake(),
                [dmo],
                windows_of_days(days, now=now),
                now=now,
                text=settings.text,
                limit=settings.quarantine_limit,
                continued=context.retry_number > 0 or context.run.parent_run_id is not None,
            )
    except StdmError as error:
        raise dg.Failure(
            str(error.during(f"{dmo.name} of {days[0]}")), allow_retries=_may_pass(error)
        ) from None
    return {outcome.day: outcome for outcome in outcomes}


def _report(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    outcomes: Mapping[date, DayOutcome],
    digests: LakeDigests,
    figures: FigureChecks,
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    refused = [day for day, outcome in outcomes.items() if outcome.status == "refused"]
    bad = {day for day, outcome in outcomes.items() if outcome.status in ("refused", "failed")}
    metadata = {day: metadata_of_day(outcome) for day, outcome in outcomes.items()}
    for day, outcome in outcomes.items():
        if outcome.verdict is not None:
            _log_evaluations(context, key, outcome, metadata[day], figures)
    checks = _check_results(outcomes, refused, figures)
    if not bad:
        yield dg.MaterializeResult(asset_key=key, check_results=checks, metadata=SAID_ALREADY)
    for day in sorted(outcomes.keys() - bad):
        context.log_event(lake_day_event(key, day, digests, metadata=metadata[day]))
    if bad:
        yield from checks
        raise _failure([outcomes[day] for day in outcomes if day in bad])


def _log_evaluations(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    outcome: DayOutcome,
    metadata: Mapping[str, Any],
    figures: FigureChecks,
) -> None:
    """One evaluation per day: without it the checks of a range stay planned for ever."""
    assert outcome.verdict is not None  # noqa: S101  # the caller asked
    day = outcome.day
    context.log_event(
        dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=CONTRACT,
            passed=outcome.status != "refused",
            metadata={**metadata, "contract": outcome.verdict.describe()},
            partition=day.isoformat(),
            blocking=True,
        )
    )
    for check, passed, said in _warnings([outcome], figures):
        context.log_event(
            dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=check,
                passed=passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=said,
                partition=day.isoformat(),
            )
        )


def _warnings(
    outcomes: Sequence[DayOutcome], figures: FigureChecks
) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    """Name, whether it passed, and metadata of each check that never blocks."""
    unseen = any(outcome.verdict and outcome.verdict.unseen for outcome in outcomes)
    yield VOCABULARY, not unseen, vocabulary_metadata(outcomes)
    aside = any(outcome.quarantined for outcome in outcomes)
    yield QUARANTINE, not aside, quarantine_metadata(outcomes)
    yield from figures.of([outcome.day for outcome in outcomes])


def _check_results(
    outcomes: Mapping[date, DayOutcome], refused: Sequence[date], figures: FigureChecks
) -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(
            check_name=CONTRACT,
            passed=not refused,
            metadata=_contract_metadata(outcomes, refused),
        ),
        *(
            dg.AssetCheckResult(
                check_name=check,
                passed=passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=said,
            )
            for check, passed, said in _warnings(list(outcomes.values()), figures)
        ),
    ]


def _contract_metadata(
    outcomes: Mapping[date, DayOutcome], refused: Sequence[date]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"days": len(outcomes)}
    if refused:
        metadata["failed_days"] = [day.isoformat() for day in refused]
        metadata["reasons"] = dg.MetadataValue.md(
            "\n".join(f"- {outcomes[day].describe()}" for day in refused)
        )
    return metadata


def _failure(bad: Sequence[DayOutcome]) -> dg.Failure:
    """The failure that names the days: the one of a blocking check would name the asset only."""
    errors = [outcome.error for outcome in bad if outcome.error is not None]
    more = f"; and {len(bad) - NAMED_DAYS} more days" if len(bad) > NAMED_DAYS else ""
    return dg.Failure(
        "; ".join(outcome.describe() for outcome in bad[:NAMED_DAYS]) + more,
        metadata={"failed_days": [outcome.day.isoformat() for outcome in bad]},
        allow_retries=any(_may_pass(error) for error in errors),
    )


def _may_pass(error: StdmError) -> bool:
    """Whether another attempt could pass: exit code 1 errors of a source that was unwell."""
    return isinstance(error, (UnavailableError, IncompleteResultError, QueryExpiredError))
