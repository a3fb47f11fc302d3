"""What colcon, rosdep and launch read: interfaces, manifests, launch files, parameter files."""

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ament_index_python.packages import get_package_prefix, get_package_share_directory
from pixelrs_ros.msg import Explanation, Instruction, Segment, Segmentation
from pixelrs_ros.srv import GetDialogue, MarkTurn, ResetDialogue

from pixelrs_ros.ros.parameters.table import SPECS

ROOT = Path(__file__).resolve().parent.parent
LAUNCH_FILES = sorted(ROOT.glob("launch/*.launch.py"))
YAML_FILES = sorted([*ROOT.glob("config/**/*.yaml"), *ROOT.glob("pixelrs_ros/**/*.yaml")])
REQUIREMENTS = ("robot", "torch", "sim", "plots", "train", "export", "quantize", "speech", "judge", "console", "ray")
# Modules whose rosdep key has another name.
ROSDEP_KEYS = {
    name: f"python3-{key}"
    for name, key in {
        "PIL": "pil",
        "cv2": "opencv",
        "numpy": "numpy",
        "packaging": "packaging",
        "rich": "rich",
        "yaml": "yaml",
    }.items()
}


# Modules whose package on PyPI has another name.
PYPI_NAMES = {"backports": "backports_zstd", "sklearn": "scikit_learn"}

# Used where it is installed, and missed by nobody where it is not.
OPTIONAL = {"audio_common_msgs", "tf2_ros", "vision_msgs"}


def executables() -> dict[str, str]:
    """Names that `ros2 run` knows, and the modules behind them, as CMakeLists.txt lists them."""
    return dict(re.findall(r'^ +"(\w+):([\w.]+)"$', (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE))


def third_party_modules() -> set[str]:
    """Top-level names of everything that the package and its launch files import from elsewhere."""
    names = set()
    for path in [*ROOT.glob("pixelrs_ros/**/*.py"), *LAUNCH_FILES]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"pixelrs_ros"} - OPTIONAL


def launched_executables(path: Path) -> Iterator[str]:
    """Those of this package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            given = {word.arg: word.value for word in node.keywords if word.arg in ("package", "executable")}
            if "executable" in given and ast.literal_eval(given["package"]) == "pixelrs_ros":
                name = ast.literal_eval(given["executable"])
                assert isinstance(name, str)
                yield name


def test_interfaces_have_the_constants_that_clients_compare_with() -> None:
    names = (
        "UNKNOWN",
        "GROUNDED",
        "ANSWERED",
        "NOT_FOUND",
        "NEEDS_CLARIFICATION",
        "BAD_INPUT",
        "INTERNAL_ERROR",
        "NO_FRAME",
        "REJECTED",
        "CANCELLED",
        "NOT_UNDERSTOOD",
    )
    assert [getattr(Segmentation, name) for name in names] == list(range(11))
    assert (Instruction.TYPED, Instruction.SPOKEN) == (0, 1)
    assert (Segment.FULL, Segment.CROPPED, Segment.RUNS) == (0, 1, 2)
    assert Segmentation().status == Explanation().status == Segmentation.UNKNOWN
    assert not Explanation().is_final
    assert (MarkTurn.Request.CLEAR, MarkTurn.Request.GOOD, MarkTurn.Request.BAD) == (0, 1, 2)
    assert GetDialogue.Response().session_ids == []
    assert ResetDialogue.Response().dropped_turns == 0


def test_every_interface_file_is_generated_and_every_field_commented() -> None:
    files = [*ROOT.glob("msg/*.msg"), *ROOT.glob("srv/*.srv"), *ROOT.glob("action/*.action")]
    listed = re.findall(r"^ +((?:action|msg|srv)/\w+\.\w+)$", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.relative_to(ROOT).as_posix() for path in files)
    for path in files:
        fields = [line for line in path.read_text().splitlines() if line and line[0] != "#" and line != "---"]
        bare = [field for field in fields if "#" not in field and "=" not in field]
        assert not bare, f"{path.name}: no unit or meaning for {bare}"


def test_package_xml_names_every_module_that_is_imported() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    assert manifest.get("format") == "3"
    named = {element.text for element in manifest if element.tag.endswith("depend")}
    files = [ROOT / "requirements" / f"{name}.txt" for name in REQUIREMENTS]
    pinned = {name for file in files for name in re.findall(r"^([\w-]+)==", file.read_text(), re.MULTILINE)}
    without_key = {name.replace("-", "_") for name in pinned}
    keys = PYPI_NAMES | ROSDEP_KEYS
    missing = {name for name in third_party_modules() if keys.get(name, name) not in named | without_key}
    assert not missing


def test_message_packages_of_cmake_and_package_xml_agree() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    found = set(re.findall(r"find_package\((\w+) REQUIRED\)", (ROOT / "CMakeLists.txt").read_text()))
    assert found == {element.text for element in manifest if element.tag in ("buildtool_depend", "depend")}


def test_the_build_installs_every_executable_and_its_module_has_a_main() -> None:
    folder = Path(get_package_prefix("pixelrs_ros")) / "lib" / "pixelrs_ros"
    assert {path.name for path in folder.iterdir()} == executables().keys()
    for name, module in executables().items():
        tree = ast.parse((ROOT / "pixelrs_ros" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        assert any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body), name


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_files_are_installed_and_start_what_is_installed(path: Path) -> None:
    installed = Path(get_package_share_directory("pixelrs_ros")) / "launch" / path.name
    assert installed.read_text() == path.read_text()
    started = list(launched_executables(path))
    assert started
    assert set(started) <= executables().keys()


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_shipped_yaml_loads(path: Path) -> None:
    # ros_gz_bridge reads a list
    expected = list if path.name == "gz_bridge.yaml" else dict
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), expected)


def test_robot_parameters_are_those_that_the_node_declares() -> None:
    content = yaml.safe_load((ROOT / "config" / "pixelrs.yaml").read_text())
    given = content["/**/perception"]["ros__parameters"]
    assert given == {name: spec.default for name, spec in SPECS.items() if name != "autostart"}


def test_a_robot_needs_neither_simulator_nor_plots() -> None:
    modules = (
        "pixelrs_ros.cli, pixelrs_ros.engine.session, pixelrs_ros.ros.perception.node, pixelrs_ros.ros.tools.doctor"
    )
    script = f"import sys; sys.modules.update(dict.fromkeys(('mujoco', 'matplotlib'))); import {modules}"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    robot = (ROOT / "package.xml").read_text() + (ROOT / "requirements" / "robot.txt").read_text()
    assert not re.search(r"^(mujoco|matplotlib)|<\w+>python3-matplotlib", robot, re.MULTILINE)


def test_messages_and_the_client_need_no_torch() -> None:
    script = "import sys; sys.modules['torch'] = None; import pixelrs_ros.client"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_messages_and_conversions_need_no_torch() -> None:
    modules = "pixelrs_ros.msg, pixelrs_ros.srv, pixelrs_ros.ros.wire.conversions"
    script = f"import sys; sys.modules['torch'] = None; import {modules}"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
