"""Everything that we use of rclpy exists in Humble and in Jazzy, with the parameters that we give it.

Tests run on Kilted. The table of what the older ones have is read off their sources by scripts/write_rclpy_api.py.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = json.loads((ROOT / "test" / "ros" / "rclpy_api.json").read_text(encoding="utf-8"))
SOURCES = [*sorted((ROOT / "pixelrs_ros").rglob("*.py")), *sorted((ROOT / "launch").glob("*.py"))]
# Attributes that objects of other libraries have as well.
ELSEWHERE = frozenset((
    "get", "set", "put", "copy", "name", "type", "value", "values", "items", "close", "done", "result", "status",
    "keys", "count", "index", "title", "seconds", "add_done_callback", "cancel", "cancelled", "exception", "set_result",
    "set_exception", "create_task", "state", "label", "id", "wait", "ok", "clock", "reset", "lower", "join", "split",
    "run", "data",
))  # fmt: skip


def imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, module and name of everything that a file imports from rclpy; the name is empty for a module alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rclpy":
            for alias in node.names:
                yield node.lineno, str(node.module), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "rclpy":
                    yield node.lineno, alias.name, ""


@cache
def users() -> list[tuple[Path, ast.Module]]:
    """The files that import rclpy."""
    trees = [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES]
    return [(path, tree) for path, tree in trees if any(imports(tree))]


def classes() -> dict[str, Any]:
    """The classes of this rclpy that we import anywhere, and those that our nodes are of."""
    found = {}
    for _, tree in users():
        for _, module, name in imports(tree):
            thing = getattr(importlib.import_module(module), name, None) if name else None
            if inspect.isclass(thing):
                found[name] = thing
    return found


def has(distro: str, module: str, name: str) -> bool:
    """Whether a module of a distribution has a name; what is compiled is not in the sources."""
    names = TABLE[distro]["modules"].get(module)
    return names is not None and (not name or name in names or f"{module}.{name}" in TABLE[distro]["modules"])


@pytest.mark.parametrize("distro", TABLE)
def test_what_is_imported_is_there(distro: str) -> None:
    missing = [
        f"{path.relative_to(ROOT)}:{line}: {module} {name}"
        for path, tree in users()
        for line, module, name in imports(tree)
        if not has(distro, module, name)
    ]
    assert not missing


@pytest.mark.parametrize("distro", TABLE)
def test_methods_and_attributes_are_there(distro: str) -> None:
    here = {name: {member for member in dir(kind) if not member.startswith("_")} for name, kind in classes().items()}
    there = {name: set(members) for name, members in TABLE[distro]["classes"].items()}
    missing = []
    for path, tree in users():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node.attr in ELSEWHERE:
                continue
            owners = [name for name, members in here.items() if node.attr in members and name in there]
            if owners and not any(node.attr in there[name] for name in owners):
                missing.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.attr} of {', '.join(owners)}")
    assert not missing


@pytest.mark.parametrize("distro", TABLE)
def test_keyword_arguments_are_taken(distro: str) -> None:
    here = classes()
    known = TABLE[distro]["classes"]
    wrong, checked = [], 0
    for path, tree in users():
        mine = {name for _, _, name in imports(tree)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in mine:
                given = [known.get(call.func.id, {}).get("__init__")]
            elif isinstance(call.func, ast.Attribute) and call.func.attr not in {*ELSEWHERE, "init", "shutdown"}:
                given = [known[name].get(call.func.attr) for name in here if call.func.attr in known.get(name, {})]
            else:
                continue
            taken = [names for names in given if names is not None]
            for keyword in call.keywords:
                if taken and keyword.arg:
                    checked += 1
                    if not any(keyword.arg in names or "**" in names for names in taken):
                        wrong.append(
                            f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call.func)}({keyword.arg}=…)"
                        )
    assert not wrong
    assert checked > 20


class Subscripts(ast.NodeVisitor):
    """Lines on which Python, when it runs them, subscripts a name.

    Args:
        names: The names.
        postponed: Whether annotations are left alone.
    """

    def __init__(self, names: set[str], postponed: bool) -> None:
        self.lines: list[int] = []
        self._names = names
        self._postponed = postponed
        self._in_function = False

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.value, ast.Name) and node.value.id in self._names:
            self.lines.append(node.lineno)
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self._annotation(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not self._in_function:
            self._annotation(node.annotation)
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.decorator_list, node.args):
            self.visit(part)
        self._annotation(node.returns)
        outside, self._in_function = self._in_function, True
        for statement in node.body:
            self.visit(statement)
        self._in_function = outside

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    def _annotation(self, node: ast.expr | None) -> None:
        if node is not None and not self._postponed:
            self.visit(node)


def test_no_class_of_rclpy_is_subscripted_at_run_time() -> None:
    """Kilted's are generic, Humble's and Jazzy's are not: `Publisher[Any]` is for type checkers alone."""
    found = []
    for path in [*SOURCES, *sorted((ROOT / "test").rglob("*.py")), *sorted((ROOT / "scripts").glob("*.py"))]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        names = {one.asname or one.name for node in named if str(node.module).startswith("rclpy") for one in node.names}
        subscripts = Subscripts(names, any(node.module == "__future__" for node in named))
        subscripts.visit(tree)
        found += [f"{path.relative_to(ROOT)}:{line}" for line in subscripts.lines]
    assert not found
