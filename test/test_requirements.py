"""The pins can be installed on a robot: there are wheels for its Python and its machine, and they fit together."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
CONSTRAINTS = {"3.10": "constraints-3.10.txt", "3.12": "constraints.txt"}
EVERYTHING = ("robot", "torch", "sim", "plots", "train", "export", "speech", "judge", "console", "ray", "dev")
# What uv says where it reaches no index.
OFFLINE = re.compile(r"error sending request|dns error|Could not connect|Failed to fetch", re.IGNORECASE)


def resolved(python: str, machine: str, *files: str | Path) -> dict[str, str]:
    """Versions by package that pip would install, wheels only; nothing is installed."""
    paths = [str(REQUIREMENTS / file) for file in files]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--only-binary", ":all:", "--no-header"]
    command += ["--no-annotate", "--python-version", python, "--python-platform", f"{machine}-manylinux_2_28"]
    command += ["--constraint", str(REQUIREMENTS / CONSTRAINTS[python]), *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    return dict(line.split(";")[0].strip().split("==") for line in done.stdout.splitlines() if "==" in line)


def pins(name: str, python: str) -> dict[str, str]:
    """The exact versions in one file for one Python."""
    lines = (line.split("#")[0].strip() for line in (REQUIREMENTS / f"{name}.txt").read_text().splitlines())
    return {
        requirement.name.lower().replace("_", "-"): specifier.version
        for requirement in map(Requirement, filter(None, lines))
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python})
        for specifier in requirement.specifier
        if specifier.operator == "=="
    }


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", CONSTRAINTS)
def test_a_robot_finds_wheels_for_everything_in_the_versions_that_are_pinned(python: str, machine: str) -> None:
    found = resolved(python, machine, "robot.txt")
    assert found.items() >= pins("robot", python).items()
    assert not found.keys() & {"mujoco", "matplotlib", "accelerate", "peft", "onnxruntime", "pytest", "scikit-learn"}
    left = {name for name in found if not name.startswith(("nvidia-", "cuda-", "triton"))}
    unpinned = left - pins("robot", python).keys() - pins(CONSTRAINTS[python].removesuffix(".txt"), python).keys()
    assert unpinned <= {"torch", "setuptools"}, "what torch brings depends on whose torch it is"


@pytest.mark.parametrize("python", CONSTRAINTS)
def test_a_workstation_finds_them_for_training_and_tests_too(python: str) -> None:
    found = resolved(python, "x86_64", *(f"{name}.txt" for name in EVERYTHING))
    assert found.items() >= {**pins("dev", python), **pins("train", python), **pins("torch", python)}.items()


@pytest.mark.parametrize("robot", [True, False])
@pytest.mark.parametrize("python", CONSTRAINTS)
def test_they_fit_the_numpy_that_the_cv_bridge_of_humble_and_jazzy_was_compiled_with(
    set_up: ModuleType, tmp_path: Path, python: str, robot: bool
) -> None:
    steps = set_up.requirement_lines(set_up.Ros("of apt", "1.26.4", colcon=True), robot)
    for number, lines in enumerate(steps.values()):
        (tmp_path / f"{number}.txt").write_text("\n".join(lines))
    found = resolved(python, "x86_64", *sorted(tmp_path.iterdir()))
    assert found["numpy"].startswith("1.") and not found.keys() & {"cv-bridge", "opencv-python-headless"}
    assert ("pytest" in found) is not robot


def test_no_torch_is_forced_upon_a_jetson() -> None:
    for name in ("robot", *(path.stem for path in REQUIREMENTS.glob("constraints*.txt"))):
        assert "torch" not in pins(name, "3.10"), f"{name}.txt would replace NVIDIA's build"
