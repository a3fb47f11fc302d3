"""Writes down which names and parameters the rclpy of older distributions has, for test/ros/test_rclpy_api.py.

Clone https://github.com/ros2/rclpy twice, at the branches humble and jazzy, then:
scripts/env.sh python scripts/write_rclpy_api.py humble=CLONE jazzy=CLONE
"""

from __future__ import annotations

import argparse
import ast
from pathlib import Path
from typing import Any

from pixelrs_ros.files import write_json

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "test" / "ros" / "rclpy_api.json"
Functions = dict[str, list[str] | None]  # parameters by name; None: not a function


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Names that a caller may use; "**" where it takes any."""
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")] + (["**"] if arguments.kwarg else [])


def members(body: list[ast.stmt]) -> Functions:
    """What a module or a class defines, and what its `__init__` puts on `self`."""
    found: Functions = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            is_property = any("property" in ast.unparse(one) or ".setter" in ast.unparse(one)
                              for one in node.decorator_list)  # fmt: skip
            if not is_property or node.name not in found:
                found[node.name] = None if is_property else parameters(node)
            if node.name == "__init__":
                found.update({one.attr: None for one in ast.walk(node) if isinstance(one, ast.Attribute)
                              and ast.unparse(one.value) == "self" and isinstance(one.ctx, ast.Store)})  # fmt: skip
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update({one.id: None for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)})
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update({(one.asname or one.name).split(".")[0]: None for one in node.names})
        elif isinstance(node, ast.ClassDef):
            found[node.name] = None
        elif isinstance(node, ast.If | ast.Try):
            found.update(members(node.body))
    return found


def api(package: Path) -> dict[str, Any]:
    """Modules with their names, and classes with their members, those of their bases included."""
    modules: dict[str, Functions] = {}
    classes: dict[str, Functions] = {}
    bases: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
        body = ast.parse(path.read_text(encoding="utf-8")).body
        modules[module] = members(body)
        for node in (one for one in body if isinstance(one, ast.ClassDef)):
            modules[module][node.name] = None
            classes[node.name] = members(node.body)
            bases[node.name] = [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]

    def whole(name: str) -> Functions:
        inherited: Functions = {}
        for base in reversed(bases[name]):
            if base in classes and base != name:
                inherited |= whole(base)
        return inherited | classes[name]

    public = {module: sorted(name for name in names if not name.startswith("_")) for module, names in modules.items()}
    return {"modules": public, "classes": {
        name: {member: given for member, given in sorted(whole(name).items())
               if member == "__init__" or not member.startswith("_")}
        for name in sorted(classes)
    }}  # fmt: skip


def main() -> None:
    """Read the sources, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="DISTRO=CLONE")
    given = dict(source.split("=", 1) for source in parser.parse_args().sources)
    write_json(TABLE, {distro: api(Path(clone) / "rclpy" / "rclpy") for distro, clone in given.items()}, indent=None)
    print(f"written to {TABLE}")


if __name__ == "__main__":
    main()
