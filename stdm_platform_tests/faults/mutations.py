"""Places in the code that keep rows whole: each sync, each rename, each comparison of counts.

They are found in the code itself, so that a new one is noticed. One can be taken out of the running
code: the function gets the code of a module from which that statement is gone.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import stdm_platform

PACKAGE = Path(stdm_platform.__file__).parent
DISK_ROOMS = ("lake", "marts", "extraction")
COUNT_ROOMS = ("lake", "data360", "extraction")
OPERATIONS = {"sync_file", "sync_folder", "sync_tree", "move", "exchange"}
COUNTS = {"rows", "num_rows", "row_count", "held", "chunk_count", "null_count"}


@dataclass(frozen=True)
class Place:
    """A statement: the module and function that it stands in, and its text."""

    module: str
    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.module.removeprefix('stdm_platform.')}.{self.function}: {self.text}"


def disk_places() -> list[Place]:
    """Every call that syncs, renames or exchanges."""
    return [place for place, _ in _found(DISK_ROOMS, _is_disk_call)]


def count_places() -> list[Place]:
    """Every check that raises because counts of rows differ."""
    return [place for place, _ in _found(COUNT_ROOMS, _is_count_check)]


def _is_disk_call(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    if isinstance(called, ast.Name):
        return called.id in OPERATIONS | {"_sync"}
    if not isinstance(called, ast.Attribute):
        return False
    is_rename = called.attr in {"rename", "replace"} and len(node.value.args) == 1
    is_fsync = called.attr in {"fsync", "fcntl"} and ast.unparse(called.value) in {"os", "fcntl"}
    return is_rename or is_fsync or called.attr in OPERATIONS


def _is_count_check(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If) or not any(isinstance(each, ast.Raise) for each in node.body):
        return False
    named = {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node.test)
        if isinstance(each, ast.Name | ast.Attribute)
    }
    return bool(named & COUNTS)


def _found(
    rooms: tuple[str, ...], wanted: Callable[[ast.stmt], bool]
) -> Iterator[tuple[Place, ast.stmt]]:
    for room in rooms:
        for path in sorted((PACKAGE / room).glob("*.py")):
            module = f"stdm_platform.{room}.{path.stem}"
            yield from _in_module(module, ast.parse(path.read_text()), wanted)


def _in_module(
    module: str, tree: ast.Module, wanted: Callable[[ast.stmt], bool]
) -> Iterator[tuple[Place, ast.stmt]]:
    seen: Counter[Place] = Counter()
    for function, node in _statements(tree, ""):
        if wanted(node):
            text = ast.unparse(node.test if isinstance(node, ast.If) else node)
            place = Place(module, function, text)
            seen[place] += 1
            again = f" (no. {seen[place]})" if seen[place] > 1 else ""
            yield Place(module, function, text + again), node


def _statements(node: ast.AST, name: str) -> Iterator[tuple[str, ast.stmt]]:
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{name}.{child.name}" if name else child.name
        elif isinstance(child, ast.stmt):
            yield name, child
        yield from _statements(child, inner)


@contextmanager
def without(place: Place) -> Iterator[None]:
    """Run with that statement gone."""
    module = importlib.import_module(place.module)
    source = inspect.getsource(module)
    tree = ast.parse(source)
    wanted = _is_count_check if place in count_places() else _is_disk_call
    node = next(node for found, node in _in_module(place.module, tree, wanted) if found == place)
    _Without(node).visit(tree)
    code = compile(ast.fix_missing_locations(tree), module.__file__ or "", "exec")
    # A function within a function goes with the one that makes it.
    outer = _outermost_function(module, place.function)
    target = _function(module, outer)
    before = target.__code__
    target.__code__ = _code_named(code, outer.split("."))
    try:
        yield
    finally:
        target.__code__ = before


class _Without(ast.NodeTransformer):
    def __init__(self, gone: ast.stmt) -> None:
        self._gone = gone

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._gone:
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)


def _outermost_function(module: Any, name: str) -> str:
    parts = name.split(".")
    length = 2 if inspect.isclass(getattr(module, parts[0])) else 1
    return ".".join(parts[:length])


def _function(module: Any, name: str) -> FunctionType:
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(getattr(found, "__func__", found))
    assert isinstance(found, FunctionType)
    return found


def _code_named(code: CodeType, names: list[str]) -> CodeType:
    for name in names:
        code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
    return code
