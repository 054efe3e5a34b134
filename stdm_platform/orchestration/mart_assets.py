"""The dbt marts as daily-partitioned assets, wired to the DMOs they read.

Belongs here: names, groups and partitions of the marts in Dagster, and turning the results of a
build into events. Does not: building and publishing (`marts`), SQL (`dbt_models`).

The models are always built together, from one snapshot, and published together: whichever of them
was selected, the build is the same as that of `stdm extract`. A model counts as materialized when
the generation that holds it was published, not when dbt had made its table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from stdm_platform.errors import StdmError
from stdm_platform.lake import Lake
from stdm_platform.marts import (
    DbtOutcome,
    Generation,
    MartStore,
    NodeResult,
    build_marts,
    ensure_manifest,
    session_days_after,
    session_days_to_build,
)
from stdm_platform.marts.digests import lake_digests, models_digest, published_digests
from stdm_platform.marts.lineage import sources_behind
from stdm_platform.orchestration.catalog_page import (
    SCHEMA,
    described_mart,
    mart_lineage,
    with_origins,
)
from stdm_platform.orchestration.day_events import SAID_ALREADY, mart_day_event, newest_events
from stdm_platform.orchestration.day_tables import told_of_days
from stdm_platform.orchestration.instance import WAREHOUSE_POOL
from stdm_platform.orchestration.liveness import show_alive
from stdm_platform.orchestration.partitions import lake_days_of_mart
from stdm_platform.orchestration.resources import Platform, Warehouse
from stdm_platform.orchestration.ticks import tick_of_run

Event = dg.MaterializeResult[None] | dg.AssetCheckResult


class Translator(DagsterDbtTranslator):
    """`dbt_models/marts/session_summary.sql` is the asset `marts/session_summary`."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Key and group from the model's folder; what it depends on are the DMOs behind it.

        Staging and intermediate models are steps on the way, rebuilt each time and kept by nobody:
        they have no days of their own to show, and dbt knows them well enough.
        """
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if node["resource_type"] != "model":
            return spec
        folder = Path(node["original_file_path"]).parts[0]
        sources = sorted(sources_behind(manifest, unique_id))
        keys = [self.get_asset_spec(manifest, source, project).key for source in sources]
        return spec.replace_attributes(
            key=dg.AssetKey([folder, node["name"]]),
            group_name=folder,
            kinds={"dbt", "duckdb"},
            description=described_mart(node["name"], node["description"]),
            metadata={
                **spec.metadata,
                "dagster/table_name": f"marts.{node['name']}",
                SCHEMA: with_origins(node["name"], spec.metadata[SCHEMA]),
            },
            code_version=models_digest(),  # any model may change any mart
            deps=[dg.AssetDep(key, partition_mapping=lake_days_of_mart(key)) for key in keys],
        )


@dataclass
class Watched:
    """What dbt came to, over all runs of one build."""

    nodes: list[NodeResult] = field(default_factory=list)
    days: list[date] = field(default_factory=list)

    def __call__(self, outcome: DbtOutcome, days: Sequence[date]) -> None:
        """Remember the results of one dbt run."""
        self.nodes += outcome.nodes
        self.days += days


def mart_assets(data_dir: Path, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """All dbt models as one step; parses the dbt project when it has changed."""
    translator = Translator()

    @dbt_assets(
        manifest=ensure_manifest(data_dir),
        name="marts",
        select="config.materialized:incremental",  # the marts, and nothing else
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=translator,
        pool=WAREHOUSE_POOL,
    )
    def marts(
        context: dg.AssetExecutionContext, platform: Platform, warehouse: Warehouse
    ) -> Iterator[Event]:
        lake = platform.lake()
        show_alive(lake.data_dir, context.run_id)
        selected = [date.fromisoformat(partition) for partition in context.partition_keys]
        days = session_days_after(lake, warehouse.store, selected)
        if tick_of_run(context.run) is not None:  # a tick rebuilds what changed, and nothing else
            days = sorted(set(days).intersection(session_days_to_build(lake, warehouse.store)))
        watched, generation, failure = Watched(), None, None
        if days:
            try:
                generation = build_marts(
                    lake, warehouse.store, days, platform.settings(), watch=watched
                )
            except StdmError as error:
                failure = dg.Failure(str(error), allow_retries=False)
        else:
            context.log.info("No session day of this range is held and due; nothing to build.")
        yield from _check_results(context, watched.nodes)
        if failure is not None:
            raise failure from None
        yield from _materializations(context, lake, warehouse.store, generation, selected)

    return marts


def _check_results(
    context: dg.AssetExecutionContext, nodes: Sequence[NodeResult]
) -> Iterator[dg.AssetCheckResult]:
    """One result per data test; dbt ran all of them, Dagster hears of the selected ones."""
    worst: dict[str, NodeResult] = {}
    for node in nodes:
        kind, _, name = node.unique_id.split(".")[:3]
        if kind == "test" and (name not in worst or node.found > worst[name].found):
            worst[name] = node
    for check in sorted(context.selected_asset_check_keys):
        if check.name not in worst:
            yield dg.AssetCheckResult(
                passed=True, check_name=check.name, asset_key=check.asset_key,
                metadata={"note": "No session day was built, nothing to test."},
            )  # fmt: skip
            continue
        node = worst[check.name]
        warned = node.status == "warn"
        yield dg.AssetCheckResult(
            passed=node.status == "pass",
            check_name=check.name,
            asset_key=check.asset_key,
            severity=dg.AssetCheckSeverity.WARN if warned else dg.AssetCheckSeverity.ERROR,
            metadata={"rows_found": node.found, "seconds": node.seconds, "said": node.said},
        )


def _materializations(
    context: dg.AssetExecutionContext,
    lake: Lake,
    store: MartStore,
    generation: Generation | None,
    selected: Sequence[date],
) -> Iterator[dg.MaterializeResult[None]]:
    """Each selected model, with the days outside of the range that were built along with it."""
    built = () if generation is None else generation.built_days
    metadata: dict[str, Any] = {"session_days_built": len(built)}
    if generation is not None:
        metadata |= {
            "generation": generation.number,
            "path": dg.MetadataValue.path(generation.path),
        }
    published, digests = published_digests(store.current()), lake_digests(lake)
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(asset_key=key, metadata=SAID_ALREADY)
        inputs = newest_events(context.instance, context.assets_def.asset_deps[key])
        days = sorted({*built, *selected})
        told = told_of_days(store, key.path[-1], days)
        for day in days:
            name = published.get((key.path[-1], day))
            newest = mart_lineage(key.path[-1]) if day == days[-1] else {}
            said = {**metadata, **told.get(day, {}), **newest}
            context.log_event(mart_day_event(key, day, name, digests, inputs, metadata=said))
