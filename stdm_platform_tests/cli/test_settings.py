"""What cannot be used is refused before the org is asked, and a secret is never said."""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform.errors import ArgumentError
from stdm_platform.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STDM_WEBHOOK_URL", "s3cret-nonsense"),
        ("STDM_WEBHOOK_URL", "http://"),
        ("STDM_WEBHOOK_URL", "ftp://s3cret.example.com/x"),
        ("STDM_NOTIFIER", "foo"),
        ("STDM_NOTIFIER", "os:"),
        ("STDM_DUCKDB_MEMORY_LIMIT", "lots"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ArgumentError, match=name) as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STDM_WEBHOOK_URL", "https://hooks.example.com/services/x"),
        ("STDM_WEBHOOK_URL", "http://127.0.0.1:9000"),
        ("STDM_NOTIFIER", "my_pager.alerts:make"),
        ("STDM_DUCKDB_MEMORY_LIMIT", "512MiB"),
        ("STDM_DUCKDB_MEMORY_LIMIT", "4 GB"),
        ("STDM_DUCKDB_MEMORY_LIMIT", "60%"),
    ],
)
def test_usual_values_are_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    load_settings()


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ArgumentError, match="is a file"):
        load_settings(data_dir=file)
