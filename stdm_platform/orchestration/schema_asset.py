"""What the source looks like and how it drifted: one asset that asks the org, a check per DMO.

Belongs here: the asset `stdm/source_schema`, the checks `schema`, their job and schedule. Does not:
looking (`extraction/probe.py`), finding drifts (`guard`), words and notices (`drift_page.py`).

The asset asks the org, without reading a row. The checks ask nobody: they judge what was seen last,
so each run that extracts evaluates them too; `drift_sensor.py` does after runs that failed. A blocking drift fails its check with severity ERROR, a warning with WARN, news passes; none of
them stops a run: what has to be stopped, the contract and the look of the extraction stop.
"""

from collections.abc import Iterator

import dagster as dg

from stdm_platform.errors import NotExtractedError, StdmError
from stdm_platform.extraction import drifts_of, probe_org
from stdm_platform.orchestration.drift_page import metadata_of, passes, severity_of, tell
from stdm_platform.orchestration.instance import SOURCE_POOL
from stdm_platform.orchestration.objects import ASSET_DMOS
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.tables import markdown_table

KEY = dg.AssetKey(["stdm", "source_schema"])
CHECK = "schema"
JOB, SCHEDULE = "stdm_source_schema", "stdm_source_schema_schedule"

SPECS = [
    dg.AssetCheckSpec(
        CHECK,
        asset=dg.AssetKey(["stdm", dmo.name]),
        description="Columns, types and names at the source, against the catalog and what was seen "
        "before. A blocking change fails, a loss warns, news passes.",
        additional_deps=[KEY],
    )
    for dmo in ASSET_DMOS
]


@dg.asset(
    key=KEY,
    group_name="source",
    kinds={"salesforce"},
    pool=SOURCE_POOL,
    description="What the org has of each object now: names, columns, types. Reads no row and costs "
    "no credits. Its page lists what changed, since when, which marts it touches, what to do.",
)
def source_schema(
    context: dg.AssetExecutionContext, platform: Platform
) -> dg.MaterializeResult[None]:
    """Look at the org, keep what was seen, show what drifted."""
    lake, now = platform.lake(), platform.now()
    try:
        with platform.org() as org:
            seen = probe_org(org, lake, now, dmos=ASSET_DMOS)
        found = drifts_of(lake)
    except StdmError as error:
        raise dg.Failure(str(error.during("the look at the source")), allow_retries=False) from None
    tell(platform.settings(), lake, found, now)
    metadata = metadata_of(found, lake)
    metadata["objects"] = dg.MetadataValue.md(
        markdown_table(
            [
                {"table": each.dmo, "object": each.object_name or "-", "columns": len(each.columns),
                 "seen through": each.via}
                for each in seen
            ]
        )
    )  # fmt: skip
    return dg.MaterializeResult(metadata=metadata)


@dg.multi_asset_check(specs=SPECS, can_subset=True, name="source_schema_checks")
def schema_checks(
    context: dg.AssetCheckExecutionContext, platform: Platform
) -> Iterator[dg.AssetCheckResult]:
    """Judge what was seen last of each object that is asked for."""
    lake = platform.lake()
    try:
        found = drifts_of(lake)
    except NotExtractedError:
        found = []
    tell(platform.settings(), lake, found, platform.now())
    for key in sorted(context.selected_asset_check_keys):
        own = [each for each in found if each.dmo == key.asset_key.path[-1]]
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=passes(own),
            severity=severity_of(own),
            metadata=metadata_of(own, lake),
        )


SCHEMA_JOB = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.assets(KEY)
    | dg.AssetSelection.checks(*(dg.AssetCheckKey(each.asset_key, CHECK) for each in SPECS)),
    description="Looks at the org's objects, without reading rows, and judges them.",
)

schema_schedule = dg.ScheduleDefinition(
    name=SCHEDULE,
    job=SCHEMA_JOB,
    cron_schedule="30 1 * * *",
    execution_timezone="UTC",
    description="Every night at 01:30 UTC, before the nightly run: what changed at the source.",
)
