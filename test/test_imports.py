"""The arrows between the package's parts point downwards only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "pixelrs_ros"

# From the bottom up. A part may import itself and what lies on lower levels, but none of its own level.
LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"errors"}),
    frozenset({"types"}),
    frozenset({"config"}),
    frozenset({"model", "text", "dialogue", "sim", "geometry", "tracking"}),
    frozenset({"images", "checkpoint", "overlay"}),
    frozenset({"engine", "data", "convert"}),
    frozenset({"training", "evaluation", "export", "benchmark", "doctor", "stranger"}),
    frozenset({"commands", "ros"}),
    frozenset({"cli"}),
)
LEVEL_OF = {part: level for level, parts in enumerate(LEVELS) for part in parts}
ROS_MODULES = frozenset({"ament_index_python", "cv_bridge", "launch", "launch_ros", "rclpy"})
NO_TORCH = ("dialogue", "text", "sim", "data", "geometry", "tracking", "stranger")
PARTS = sorted({path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")})


def imports(part: str) -> Iterator[tuple[str, str]]:
    """Every import of a part, also those inside functions, as (file and line, dotted name)."""
    files = [PACKAGE / f"{part}.py"] if (PACKAGE / f"{part}.py").exists() else sorted((PACKAGE / part).rglob("*.py"))
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                yield from ((place, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{place}: a relative import hides where it leads"
                yield from ((place, f"{node.module}.{alias.name}") for alias in node.names)


def test_every_part_has_a_level() -> None:
    assert set(PARTS) - {"__init__"} <= LEVEL_OF.keys()


@pytest.mark.parametrize("part", [part for part in PARTS if part != "__init__"])
def test_imports_point_downwards(part: str) -> None:
    wrong = []
    for place, name in imports(part):
        words = name.split(".")
        if words[0] != "pixelrs_ros" or words[1] == part:
            continue
        generated = words[1] in ("action", "msg", "srv")
        allowed = part == "ros" if generated else LEVEL_OF[words[1]] < LEVEL_OF[part]
        if not allowed:
            wrong.append(f"{place} imports {name}")
    assert not wrong


@pytest.mark.parametrize("part", [part for part in PARTS if part != "ros"])
def test_only_ros_knows_ros(part: str) -> None:
    known = ((place, name.split(".")[0]) for place, name in imports(part))
    assert not [where for where in known if where[1] in ROS_MODULES or where[1].endswith(("_msgs", "_interfaces"))]


@pytest.mark.parametrize("part", NO_TORCH)
def test_works_without_torch(part: str) -> None:
    known = ((place, name.split(".")[0]) for place, name in imports(part))
    assert not [where for where in known if where[1] in ("torch", "transformers", "segment_anything")]
