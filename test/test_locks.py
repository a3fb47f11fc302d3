"""Nothing is published, logged or called back while a lock is held: whoever is called might want the lock, too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = re.compile(r"lock\b|condition\b|_changed\b", re.IGNORECASE)
CALLS_OUT = re.compile(r"publish|send|_?on_[a-z_]+|callback|info|warning|error|debug|set_result|set_exception")


def held(tree: ast.AST) -> Iterator[ast.With | ast.AsyncWith]:
    """The blocks that hold a lock of an object."""
    for node in ast.walk(tree):
        if isinstance(node, ast.With | ast.AsyncWith):
            names = " ".join(ast.unparse(item.context_expr) for item in node.items)
            if LOCK.search(names) and "flock" not in names:
                yield node


def calls_out(block: ast.With | ast.AsyncWith) -> Iterator[ast.Call]:
    """Calls in a block that leave the object, not those in functions that are only defined there."""
    waiting: list[ast.AST] = list(block.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if CALLS_OUT.fullmatch(name):
                yield node
        waiting += ast.iter_child_nodes(node)


def test_nothing_is_published_or_called_back_while_a_lock_is_held() -> None:
    found, blocks = [], 0
    for path in sorted((ROOT / "pixelrs_ros").rglob("*.py")):
        for block in held(ast.parse(path.read_text(encoding="utf-8"))):
            blocks += 1
            found += [f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call.func)}" for call in calls_out(block)]
    assert blocks > 20, "locks are found at all"
    assert not found
