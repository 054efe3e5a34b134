"""One sandbox org and one extracted data directory for all modules; each finds both as made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from stdm_platform.cli import run
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.parsed import lend_parse

FIRST = date(2026, 1, 14)
DAYS = [FIRST + timedelta(days=more) for more in range(3)]
UNTIL = DAYS[-1] + timedelta(days=1)
SESSIONS_PER_DAY = 35
NOW = "2026-01-30T00:00:00Z"
"""After the settle time of every day: one reading settles it."""

RANGE = ("--since", str(FIRST), "--until", str(UNTIL), "--now", NOW)


@pytest.fixture(scope="session")
def one_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    options = SandboxOptions(
        tmp_path_factory.mktemp("org"),
        days=len(DAYS),
        sessions_per_day=SESSIONS_PER_DAY,
        end=DAYS[-1],
    )
    with running(options) as handle:
        yield handle


@pytest.fixture
def org(one_org: SandboxHandle) -> Iterator[SandboxHandle]:
    """The org, put back into its first state after the test, but for its rows."""
    before = one_org.change_settings()
    yield one_org
    one_org.clear_faults()
    one_org.change_settings(**before)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home without anybody's keys."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def stdm(one_org: SandboxHandle, tmp_path: Path, home: Path) -> Stdm:
    """The command of a user of the org, with a data directory of the test's own."""
    return user_of(one_org, tmp_path, home)


@pytest.fixture(scope="session")
def held(one_org: SandboxHandle, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Stdm:
    """The command of a user who has extracted all days; tests leave lake and marts as they are."""
    user = user_of(one_org, tmp_path_factory.mktemp("held"), home)
    user("extract", *RANGE).succeeded()
    return user


def user_of(org: SandboxHandle, cwd: Path, home: Path) -> Stdm:
    data_dir = lend_parse(cwd / "data")
    return Stdm(cwd, {**org.env, "HOME": str(home), "STDM_DATA_DIR": str(data_dir)})


@pytest.fixture
def quick(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Ended]:
    """The command inside of this process, for long lists of calls: its imports are paid once."""

    def call(stdm: Stdm, *words: str, **variables: str) -> Ended:
        capfdbinary.readouterr()
        with monkeypatch.context() as patched:
            for name in os.environ.keys() - stdm.environment.keys():
                patched.delenv(name)
            for name, value in {**stdm.environment, **variables}.items():
                patched.setenv(name, value)
            patched.chdir(stdm.cwd)
            code = run(list(words))
        raw, messages = capfdbinary.readouterr()
        return Ended(code, raw, messages.decode())

    return call
