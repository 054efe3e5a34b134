"""One running sandbox org without generated rows, filled here; each test finds it as made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stranger import Stranger

from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running

SESSIONS = "ssot__AIAgentSession__dlm"
FILL = f"""
INSERT INTO "{SESSIONS}" (ssot__Id__c, ssot__StartTimestamp__c, ssot__EndTimestamp__c,
    ssot__AiAgentChannelType__c, ssot__VariableText__c)
SELECT 'session-' || lpad(i::VARCHAR, 5, '0'),
    TIMESTAMPTZ '2026-01-14 00:00:00.123456Z' + INTERVAL (i) MINUTE,
    CASE WHEN i % 3 > 0 THEN TIMESTAMPTZ '2026-01-14 00:02:00Z' + INTERVAL (i) MINUTE END,
    CASE WHEN i % 2 = 0 THEN 'Messaging' ELSE 'NOT_SET' END,
    '{{"n":' || i || ',"a":[1,{{"x":"last"}}]}}'
FROM range(2000) r(i)
"""


@pytest.fixture(scope="session")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    options = SandboxOptions(
        tmp_path_factory.mktemp("org"), sessions_per_day=0, chunk_rows=300, page_bytes=20_000
    )
    with running(options) as handle:
        handle.execute(FILL)
        yield handle


@pytest.fixture
def sandbox(one_sandbox: SandboxHandle) -> Iterator[SandboxHandle]:
    before = one_sandbox.change_settings()
    yield one_sandbox
    one_sandbox.clear_faults()
    one_sandbox.change_settings(**before)


@pytest.fixture
def stranger(sandbox: SandboxHandle) -> Stranger:
    return Stranger(sandbox.env).log_in()
