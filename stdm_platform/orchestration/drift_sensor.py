"""The sensor that shows and tells a drift soon after anything has seen it.

Belongs here: `stdm_drift_sensor`. Does not: asking the org; looks are kept by whatever extracts (runs,
ticks, the `stdm` command) and by `stdm/source_schema`. A run in which an object's step fails skips its
checks, so the checks of blocking drifts are recorded here.

The cursor says what was recorded last. It is a convenience: deleting it records the checks once more.
"""

import hashlib
from collections.abc import Sequence

import dagster as dg

from stdm_platform.errors import NotExtractedError
from stdm_platform.extraction import drifts_of
from stdm_platform.guard import Drift
from stdm_platform.lake import Lake
from stdm_platform.orchestration.drift_page import metadata_of, passes, severity_of, tell
from stdm_platform.orchestration.lakes import lake_of
from stdm_platform.orchestration.objects import ASSET_DMOS
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.schema_asset import CHECK


def drift_sensor(*, minutes: int = 60) -> dg.SensorDefinition:
    """The sensor `stdm_drift_sensor`; on by default, as it asks the org nothing."""

    @dg.sensor(
        name="stdm_drift_sensor",
        minimum_interval_seconds=min(minutes, 15) * 60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells once of each change at the source that blocks or loses something, and "
        "records the schema checks when what is known has changed. Asks the org nothing.",
    )
    def stdm_drift_sensor(
        context: dg.SensorEvaluationContext, platform: Platform
    ) -> dg.SensorResult:
        lake = lake_of(platform.settings().absolute_data_dir())
        try:
            found = drifts_of(lake)
        except NotExtractedError:
            return dg.SensorResult(skip_reason="Nothing was seen of the source yet.")
        tell(platform.settings(), lake, found, platform.now())
        state = _state(found)
        if state == context.cursor:
            return dg.SensorResult(skip_reason=_summary(found), cursor=state)
        events = [_evaluation(dmo.name, found, lake) for dmo in ASSET_DMOS]
        return dg.SensorResult(skip_reason=_summary(found), asset_events=events, cursor=state)

    return stdm_drift_sensor


def _evaluation(name: str, found: Sequence[Drift], lake: Lake) -> dg.AssetCheckEvaluation:
    own = [each for each in found if each.dmo == name]
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["stdm", name]),
        check_name=CHECK,
        passed=passes(own),
        severity=severity_of(own),
        metadata=metadata_of(own, lake),
    )


def _state(found: Sequence[Drift]) -> str:
    text = "\n".join(f"{each.severity} {each.identity}" for each in found)
    return hashlib.sha256(text.encode()).hexdigest()


def _summary(found: Sequence[Drift]) -> str:
    worst = [each.describe() for each in found if each.severity != "news"]
    return " ".join(worst[:3]) or f"No change at the source loses anything; {len(found)} are news."
