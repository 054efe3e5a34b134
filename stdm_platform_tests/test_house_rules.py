"""The rules of the house, each as a test: lint, types, layers, derived files, sizes, names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from stdm_platform.catalog.sync import stale_files

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "stdm_platform"
TOOLS = Path(sys.executable).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base", "handler"}


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint_is_clean() -> None:
    run(str(TOOLS / "ruff"), "check", ".")


def test_the_format_is_the_formatters() -> None:
    run(str(TOOLS / "ruff"), "format", "--check", ".")


def test_types_are_strict_and_clean() -> None:
    run(str(TOOLS / "mypy"))


def test_data_flows_one_way_through_the_rooms() -> None:
    run(str(TOOLS / "lint-imports"))


def test_derived_files_equal_the_catalog() -> None:
    assert stale_files() == [], "run: uv run python -m stdm_platform.catalog.sync"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_and_named_for_what_it_is(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES
    assert len(path.read_text().splitlines()) <= 250


def test_every_package_says_what_belongs_there() -> None:
    for path in PACKAGE.glob("*/__init__.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        assert "Belongs here" in docstring, path
        assert "Does not" in docstring, path


def test_only_the_command_prints() -> None:
    for path in MODULES:
        if path.is_relative_to(PACKAGE / "cli") or path.name in {"sync.py", "__main__.py"}:
            continue
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert "print" not in calls, path


def test_functions_are_short() -> None:
    long = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if lines > 45:
                long.append(f"{path.relative_to(PROJECT)}:{node.lineno} {node.name} {lines}")
    assert long == []
