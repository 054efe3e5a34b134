"""Arrow and JSON are two roads to the same lake."""

from __future__ import annotations

import pytest

from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.end_to_end.command import Stdm
from stdm_platform_tests.end_to_end.conftest import DAYS, RANGE
from stdm_platform_tests.end_to_end.facts import evidence, lake_checksums, lake_counts, lake_rows
from stdm_platform_tests.session_objects import SESSION_DMOS

CASES = [("arrow", "arrow", "v3"), ("json", "json", "connect"), ("auto", "arrow", "v3")]


@pytest.mark.parametrize(("wanted", "used", "plane"), CASES)
def test_every_transport_gives_the_same_lake_rows(
    held: Stdm, stdm: Stdm, org: SandboxHandle, wanted: str, used: str, plane: str
) -> None:
    org.change_settings(chunk_rows=200, page_bytes=60_000)  # so that there is something to page
    org.requests(clear=True)
    stdm("extract", *RANGE, "--no-marts", STDM_TRANSPORT=wanted).succeeded()
    planes = {entry["operation"].partition(".")[0] for entry in org.requests()}
    assert planes - {"token"} == {plane}
    assert lake_checksums(stdm.data_dir) == lake_checksums(held.data_dir)
    assert lake_counts(stdm.data_dir) == lake_counts(held.data_dir)
    for dmo in SESSION_DMOS:
        assert lake_rows(stdm.data_dir, dmo.name).equals(lake_rows(held.data_dir, dmo.name))
        for day in DAYS:
            (said,) = evidence(stdm.data_dir, dmo.name, day)
            assert [reading.transport for reading in said.readings] == [used]


def test_without_the_arrow_plane_auto_takes_json(
    held: Stdm, stdm: Stdm, org: SandboxHandle
) -> None:
    org.set_faults([{"kind": "forbidden", "on": "token.exchange"}])
    stdm("extract", *RANGE, "--no-marts", STDM_TRANSPORT="auto").succeeded()
    assert org.served()["forbidden"] > 0
    assert lake_checksums(stdm.data_dir) == lake_checksums(held.data_dir)
    (said,) = evidence(stdm.data_dir, "steps", DAYS[0])
    assert said.readings[0].transport == "json"
