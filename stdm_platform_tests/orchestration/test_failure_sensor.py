"""Failed runs become notices: with asset, days and reason, and without a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.orchestration import dmo_assets, failures
from stdm_platform.orchestration.dmo_assets import dmo_asset
from stdm_platform.orchestration.failures import failure_sensor
from stdm_platform.orchestration.launch import RANGE_END, RANGE_START
from stdm_platform.orchestration.partitions import daily_partitions
from stdm_platform.orchestration.resources import Platform
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.faults.world import DAYS, environment
from stdm_platform_tests.notify.receiver import SECRET, Receiver, receiving

PARTITIONS = [str(day) for day in DAYS]
TAGS = {RANGE_START: PARTITIONS[0], RANGE_END: PARTITIONS[-1]}


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as receiver:
        monkeypatch.setenv("STDM_WEBHOOK_URL", receiver.url)
        yield receiver


@pytest.fixture
def variables(org: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(org, tmp_path / "data").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dmo_assets, "RETRIES", dg.RetryPolicy(max_retries=0))


def run(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition) -> dg.ExecuteInProcessResult:
    result = dg.materialize(
        list(assets), instance=instance, resources={"platform": Platform()}, tags=TAGS,
        raise_on_error=False,
    )  # fmt: skip
    assert not result.success
    return result


def tell(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> None:
    """What a tick of the daemon does with the failed run."""
    (failure,) = (
        event for event in result.all_events if event.event_type is dg.DagsterEventType.RUN_FAILURE
    )
    context = dg.build_run_status_sensor_context(
        sensor_name="stdm_failure_sensor",
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=failure,
        resources={"platform": Platform()},
    ).for_run_failure()
    failure_sensor(context)


@pytest.mark.usefixtures("variables")
def test_each_failed_asset_is_one_notice_with_its_days_and_its_reason(
    org: SandboxHandle, receiver: Receiver
) -> None:
    org.set_faults([{"kind": "bad_sql", "on": "*.submit", "at": [3]}])
    instance, partitions = dg.DagsterInstance.ephemeral(), daily_partitions(None)
    assets = [dmo_asset(dmo(name), partitions) for name in ("sessions", "moments")]
    result = run(instance, *assets)
    tell(instance, result)
    (notice,) = receiver.notices()
    assert notice["event"] == "run_failed"
    assert notice["run_id"] == result.run_id
    (day,) = notice["partitions"]
    assert day in PARTITIONS
    name = notice["asset"].removeprefix("stdm/")
    assert notice["assets"] == [f"stdm/{name}"]
    assert notice["reason"].startswith(f"{name} of {day}: ")
    assert "Correct the SQL" in notice["reason"]
    assert notice["text"].startswith(f"[error] stdm/{name} of {day}: ")


@pytest.mark.usefixtures("variables")
def test_a_failure_of_the_whole_step_names_all_days_and_no_secret(
    org: SandboxHandle, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STDM_CONSUMER_KEY", "3MVG9-niemandes-schluessel")
    instance = dg.DagsterInstance.ephemeral()
    tell(instance, run(instance, dmo_asset(dmo("sessions"), daily_partitions(None))))
    (notice,) = receiver.notices()
    assert notice["partitions"] == PARTITIONS
    assert "login" in notice["reason"]
    for secret in ("niemandes", SECRET, "BEGIN", org.client_secret()):
        assert secret not in receiver.came[0]


@pytest.mark.usefixtures("variables")
def test_of_an_exception_that_is_not_ours_only_the_class_is_said(receiver: Receiver) -> None:
    @dg.asset(partitions_def=daily_partitions(None), backfill_policy=dg.BackfillPolicy.single_run())
    def broken() -> None:
        raise KeyError("what a customer wrote")

    instance = dg.DagsterInstance.ephemeral()
    tell(instance, run(instance, broken))
    (notice,) = receiver.notices()
    assert notice["reason"].startswith("the step failed with KeyError.")
    assert "customer" not in receiver.came[0]


def test_a_run_that_never_started_is_told_with_what_it_was_about(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    job = dg.define_asset_job("stdm_daily")
    defs = dg.Definitions([dmo_asset(dmo("sessions"), daily_partitions(None))], jobs=[job],
                          resources={"platform": Platform()})  # fmt: skip
    lost = instance.create_run_for_job(
        defs.resolve_job_def("stdm_daily"), tags=TAGS, status=dg.DagsterRunStatus.STARTING
    )
    said = "Run timed out due to taking longer than 180 seconds to start."
    event: Any = instance.report_run_failed(lost, said)
    (notice,) = failures.notices_of(instance, lost, event, [], Platform().now())
    assert notice.assets == ("stdm/sessions",)
    assert list(notice.partitions) == PARTITIONS
    assert notice.reason == f"{said} The run's page has the details."


@pytest.mark.usefixtures("variables")
def test_a_receiver_that_is_down_does_not_fail_the_tick(
    org: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STDM_WEBHOOK_URL", f"http://127.0.0.1:9/{SECRET}")
    org.set_faults([{"kind": "bad_sql", "on": "*.submit", "permanent": True}])
    instance = dg.DagsterInstance.ephemeral()
    tell(instance, run(instance, dmo_asset(dmo("sessions"), daily_partitions(None))))
