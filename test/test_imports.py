"""The arrows between the package's parts point downwards only, and no module is part of a circle."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "pixelrs_ros"

# From the bottom up. A part may import itself and what lies on lower levels, but none of its own level.
LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"errors"}),
    frozenset({"types", "files", "shipped", "pictures", "encodings", "gripper", "workers"}),
    frozenset({"settings"}),
    frozenset({"config", "published"}),
    frozenset({"model", "text", "dialogue", "sim", "geometry", "tracking", "endpoint"}),
    frozenset({"images", "checkpoint", "overlay", "mask_codes", "status_codes", "documents"}),
    frozenset({"engine", "data", "convert", "client", "speech", "grasping"}),
    frozenset({"training", "evaluation", "benchmark", "doctor", "stranger", "fetch"}),
    frozenset({"ros"}),
    frozenset({"console"}),
    frozenset({"commands"}),  # start modules of `ros` as processes of their own
    frozenset({"cli"}),
)
LEVEL_OF = {part: level for level, parts in enumerate(LEVELS) for part in parts}
# The rooms of the parts that have some, likewise.
ROOMS = {
    "ros": (
        "parameters",
        "wire",
        "queueing",
        "perception",
        "speech",
        "planner",
        "tools",
        "recording",
        "console",
        "demo",
    ),
    "sim": ("shape", "scene", "physics", "picture", "gazebo", "talk", "walk"),
}
ROS_MODULES = frozenset({"ament_index_python", "cv_bridge", "launch", "launch_ros", "rclpy"})
ROS_PARTS = ("ros", "client", "mask_codes", "status_codes")
GENERATED = ("action", "msg", "srv")
NO_TORCH = (
    "dialogue", "text", "sim", "data", "geometry", "tracking", "files", "shipped", "published", "pictures", "encodings",
    "stranger", "speech", "endpoint", "gripper", "grasping",
)  # fmt: skip
PARTS = sorted({path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")})
# `python -m pixelrs_ros.…`, as a string or as a part of one.
STARTED = re.compile(r"\bpixelrs_ros(?:\.\w+)+")


class Use(NamedTuple):
    """One module's use of another."""

    place: str  # file and line
    name: str  # dotted; of a module or of something in it
    imported: bool  # or named in a string, as a module that is started as a process


def module_name(path: Path) -> str:
    return ".".join(("pixelrs_ros", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def started_modules(node: ast.AST, docstrings: set[int]) -> Iterator[str]:
    """Modules that a string names, other than a docstring, which may speak of anything."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
        yield from (name for name in STARTED.findall(node.value) if name in MODULES)


@cache
def uses_of(module: str) -> tuple[Use, ...]:
    """What a module imports, also inside functions, and what it starts by name."""
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        place = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            found += [Use(place, alias.name, imported=True) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place}: a relative import hides where it leads"
            found += [Use(place, f"{node.module}.{alias.name}", imported=True) for alias in node.names]
        found += [Use(place, name, imported=False) for name in started_modules(node, docstrings)]
    return tuple(found)


def uses(part: str) -> Iterator[Use]:
    """What all modules of a part use."""
    for module in MODULES:
        if module.split(".")[1:2] == [part]:
            yield from uses_of(module)


def target_of(name: str) -> str | None:
    """The module of this package that a dotted name lies in; None for another package's and for generated ones."""
    words = name.split(".")
    for length in range(len(words), 1, -1):
        if ".".join(words[:length]) in MODULES:
            return ".".join(words[:length])
    return None


def test_every_part_has_a_level() -> None:
    assert set(PARTS) - {"__init__"} <= LEVEL_OF.keys()


@pytest.mark.parametrize("part", [part for part in PARTS if part != "__init__"])
def test_imports_point_downwards(part: str) -> None:
    wrong = []
    for place, name, _ in uses(part):
        words = name.split(".")
        if words[0] != "pixelrs_ros" or words[1] == part:
            continue
        allowed = part in ROS_PARTS if words[1] in GENERATED else LEVEL_OF[words[1]] < LEVEL_OF[part]
        if not allowed:
            wrong.append(f"{place} uses {name}")
    assert not wrong


@pytest.mark.parametrize("part", ROOMS)
def test_every_room_is_known(part: str) -> None:
    assert {path.name for path in (PACKAGE / part).iterdir() if path.is_dir()} - {"__pycache__"} == set(ROOMS[part])


@pytest.mark.parametrize(("part", "room"), [(part, room) for part, rooms in ROOMS.items() for room in rooms])
def test_rooms_use_only_the_rooms_below_them(part: str, room: str) -> None:
    allowed = ROOMS[part][: ROOMS[part].index(room) + 1]
    wrong = []
    for module in MODULES:
        if not module.startswith(f"pixelrs_ros.{part}.{room}."):
            continue
        for place, name, _ in uses_of(module):
            words = name.split(".")
            if words[:2] == ["pixelrs_ros", part] and words[2] not in allowed:
                wrong.append(f"{place} uses {name}")
    assert not wrong


def test_no_module_is_part_of_a_circle() -> None:
    graph = {module: {target_of(use.name) for use in uses_of(module)} - {None, module} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(map(str, error.args[1]))}")


def test_what_is_started_by_name_counts_as_used() -> None:
    started = [use.name for use in uses("commands") if not use.imported]
    assert "pixelrs_ros.ros.tools.bench" in started
    assert "pixelrs_ros.ros.tools.doctor" in started


@pytest.mark.parametrize("part", [part for part in PARTS if part not in ROS_PARTS])
def test_only_ros_and_its_client_know_ros(part: str) -> None:
    known = ((use.place, use.name.split(".")[0]) for use in uses(part) if use.imported)
    assert not [where for where in known if where[1] in ROS_MODULES or where[1].endswith(("_msgs", "_interfaces"))]


@pytest.mark.parametrize("part", NO_TORCH)
def test_works_without_torch(part: str) -> None:
    known = ((use.place, use.name.split(".")[0]) for use in uses(part) if use.imported)
    assert not [where for where in known if where[1] in ("torch", "transformers", "segment_anything")]
