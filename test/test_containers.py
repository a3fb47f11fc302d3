"""Dockerfiles, compose file and systemd unit are linted, and all that they name is there; the workflow builds it."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement

from pixelrs_ros.cli import COMMANDS
from pixelrs_ros.ros.console.parameters import CONSOLE_SPECS
from pixelrs_ros.ros.parameters.table import SPECS

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
DOCKERFILES = ("Dockerfile.jazzy", "Dockerfile.humble", "Dockerfile.l4t")
UNIT = ROOT / "config" / "systemd" / "pixelrs.service"
INSTALLED = "/opt/pixelrs/install/share/pixelrs_ros/"


def stages(name: str) -> dict[str, list[dict[str, str]]]:
    """Instructions of each stage by its name."""
    found: dict[str, list[dict[str, str]]] = {"": []}
    for step in DockerfileParser(fileobj=io.BytesIO((DOCKER / name).read_bytes())).structure:
        if step["instruction"] == "FROM":
            found[step["value"].split()[-1]] = []
        list(found.values())[-1].append(step)
    return found


def values(name: str, instruction: str) -> list[str]:
    return [step["value"] for steps in stages(name).values() for step in steps if step["instruction"] == instruction]


def shown(path: str) -> bool:
    """Whether .dockerignore, which names what is not ignored, shows a path of this repository to a build."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*", "everything is ignored, but for"
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert all((ROOT / line).exists() for line in kept)
    return any(path == line or path.startswith(f"{line}/") for line in kept)


def executables() -> set[str]:
    """What the package installs beside its library; see CMakeLists.txt."""
    listed = re.search(r"set\(executables(.*?)\)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.DOTALL)
    assert listed is not None
    return set(re.findall(r'"(\w+):', listed[1]))


def check_command(words: list[str]) -> None:
    """An executable of ours; a `pixelrs` command that there is; parameters and parameter files that there are."""
    assert words[0] in executables()
    if words[0] == "pixelrs":
        assert words[1] in COMMANDS
    for word in words:
        if word.startswith(INSTALLED):
            assert (ROOT / word.removeprefix(INSTALLED)).is_file(), word
    known = {"perception": set(SPECS), "console": set(CONSOLE_SPECS), "sim_camera": {"scene_seed"}}
    given = {word.partition(":=")[0] for word in words if ":=" in word}
    assert given <= known.get(words[0], set())


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    command = [str(hadolint), "--no-color", "--config", str(ROOT / ".hadolint.yaml"), str(DOCKER / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_humble_is_jazzy_but_for_the_release_and_its_python() -> None:
    jazzy, humble = ((DOCKER / name).read_text(encoding="utf-8") for name in DOCKERFILES[:2])
    for ours, theirs in (("jazzy", "humble"), ("Jazzy", "Humble"), ("=constraints.txt", "=constraints-3.10.txt")):
        assert ours in jazzy and theirs in humble
        jazzy = jazzy.replace(ours, theirs)
    named = "Dockerfile.{} is this file for the other release"
    assert jazzy.replace(named.format("humble"), named.format("jazzy")) == humble


@pytest.mark.parametrize("name", DOCKERFILES)
def test_bases_are_tags_that_stay_what_they_are(name: str) -> None:
    arguments = dict(value.split("=", 1) for value in values(name, "ARG") if "=" in value)
    outer = [stage for stage in map(str.split, values(name, "FROM")) if stage[0] not in stages(name)]
    for image, _, _ in outer:
        resolved = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], image)
        assert re.fullmatch(r"[\w./-]+:[\w.-]+", resolved) and not resolved.endswith(":latest"), resolved


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_copied_and_installed_is_there_and_not_ignored(name: str) -> None:
    sources = [
        source
        for value in values(name, "COPY")
        if "--from=" not in value
        for source in [word for word in value.split() if not word.startswith("--")][:-1]
    ]
    assert "." in sources and "requirements" in sources and "docker/entrypoint.sh" in sources
    for source in set(sources) - {"."}:
        assert (ROOT / source).exists() and shown(source), source
    text = (DOCKER / name).read_text(encoding="utf-8")
    named = set(re.findall(r"requirements/([\w.-]+\.txt)", text)) | set(re.findall(r"CONSTRAINTS=([\w.-]+)", text))
    assert {"robot.txt", "console.txt"} < named
    assert all((ROOT / "requirements" / file).is_file() for file in named)


def test_a_build_is_shown_all_that_cmake_asks_for_and_nothing_else() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    folders = re.findall(r"^install\(DIRECTORY ([\w/ ]+?) DESTINATION", text, re.MULTILINE)
    wanted = {"CMakeLists.txt", "package.xml", "pixelrs_ros", *" ".join(folders).split()}
    wanted |= set(re.findall(r"^  ((?:action|msg|srv)/\w+\.\w+)$", text, re.MULTILINE))
    wanted |= set(re.findall(r"configure_file\((\S+)", text))
    assert {"launch", "config", "security", "scripts/executable.py.in", "srv/ResetDialogue.srv"} < wanted
    assert all(shown(path) for path in wanted)
    assert not any(shown(path) for path in (".venv", ".git", "install", "test", "docs", "benchmarks", "log"))


def test_a_jetson_keeps_the_torch_and_the_numpy_of_nvidia() -> None:
    (pattern,) = re.findall(r"grep -vE '(.+?)'", (DOCKER / "Dockerfile.l4t").read_text(encoding="utf-8"))
    lines = (ROOT / "requirements" / "robot.txt").read_text(encoding="utf-8").splitlines()
    left_out = {Requirement(line.split("#")[0]).name for line in lines if re.match(pattern, line)}
    assert left_out == {"cv-bridge", "numpy", "opencv-python-headless", "torch"}
    runs = " ".join(values("Dockerfile.l4t", "RUN"))
    assert "torch.txt" not in runs and "assert torch.version.cuda" in runs


@pytest.mark.parametrize("name", DOCKERFILES[:2])
def test_no_cuda_comes_into_an_image_for_the_cpu(name: str) -> None:
    assert "TORCH_INDEX=https://download.pytorch.org/whl/cpu" in values(name, "ARG")
    (command,) = [value for value in values(name, "RUN") if "requirements/torch.txt" in value]
    assert 'pip install --no-deps --index-url "${TORCH_INDEX}" -r requirements/torch.txt' in command


@pytest.mark.parametrize("name", DOCKERFILES)
def test_a_robots_image_runs_as_nobody_and_says_how_it_is(name: str) -> None:
    robot = {step["instruction"]: step["value"] for step in stages(name)["robot"]}
    assert list(stages(name))[-1] == "robot", "what is built where no target is named"
    assert int(robot["USER"]) > 0 and f"--uid {robot['USER']} " in " ".join(values(name, "RUN"))
    health = yaml.safe_load(robot["HEALTHCHECK"].partition(" CMD ")[2])
    assert [health[0]] == yaml.safe_load(values(name, "ENTRYPOINT")[0])
    check_command(health[1:])
    check_command(yaml.safe_load(robot["CMD"]))


def compose(**variables: str) -> dict[str, Any]:
    """The compose file with its variables replaced by what is given, else by their defaults."""

    def replace(found: re.Match[str]) -> str:
        name, default = found.groups()
        return variables.get(name, default)

    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(re.sub(r"\$\{(\w+):-([^}]*)\}", replace, text))
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("distro", ["jazzy", "humble"])
def test_compose_starts_node_camera_and_page_from_stages_that_there_are(distro: str) -> None:
    loaded = compose(PIXELRS_DISTRO=distro)
    services = loaded["services"]
    assert services["console"]["command"] == ["console"], "which serves this machine only, and asks it for no token"
    assert list(services) == ["perception", "camera", "console"]
    for service in services.values():
        check_command(service["command"])
        assert service["cap_drop"] == ["ALL"] and not service.get("privileged") and "user" not in service
        # One without the other, and Fast DDS offers neighbors a shared memory that they do not see.
        assert service["network_mode"] == service["ipc"] == "host" and "ports" not in service
        if build := service.get("build"):
            assert (DOCKER / build["context"]).resolve() == ROOT
            assert build["target"] in stages(Path(build["dockerfile"]).name)
    built = {service["image"] for service in services.values() if "build" in service}
    assert built == {service["image"] for service in services.values()}
    mounted = [volume.partition(":") for volume in services["perception"]["volumes"]]
    assert [name for name, _, _ in mounted] == list(loaded["volumes"])
    folders = " ".join(values(f"Dockerfile.{distro}", "RUN") + values(f"Dockerfile.{distro}", "ENV"))
    assert "/var/lib/pixelrs" in folders, "made for its user, so that a new volume belongs to it"


def test_docker_compose_reads_it() -> None:
    command = ["docker", "compose", "--file", str(DOCKER / "compose.yaml"), "config", "--quiet"]
    if not shutil.which("docker") or subprocess.run([*command[:2], "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_entry_point_sources_both_and_becomes_the_command(tmp_path: Path) -> None:
    script = DOCKER / "entrypoint.sh"
    text = script.read_text(encoding="utf-8")
    for place in ("/opt/ros", "/opt/pixelrs/install"):
        assert place in text
        text = text.replace(place, f"{tmp_path}{place}")
    (tmp_path / "opt/ros/jazzy").mkdir(parents=True)
    (tmp_path / "opt/ros/jazzy/setup.bash").write_text("export SAID=ros\n")
    (tmp_path / "opt/pixelrs/install").mkdir(parents=True)
    (tmp_path / "opt/pixelrs/install/local_setup.bash").write_text("export SAID=$SAID,ours\n")
    moved = tmp_path / "entrypoint.sh"
    moved.write_text(text)
    command = ["bash", str(moved), "sh", "-c", 'echo "$SAID $PPID"; exit 3']
    env = {**os.environ, "ROS_DISTRO": "jazzy"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=env)
    assert (done.returncode, done.stdout) == (3, f"ros,ours {os.getpid()}\n"), done.stderr


def exec_start() -> list[str]:
    """The unit's command line as systemd splits it, here without any expansion of its own."""
    text = UNIT.read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert "%" not in line and "${" not in line, "systemd would expand it"
    return shlex.split(line)


def test_the_service_launches_the_workspace_of_the_readme(tmp_path: Path) -> None:
    ros, workspace = tmp_path / "ros", tmp_path / "ws"
    for file in (
        ros / "setup.bash",
        workspace / "src/pixelrs_ros/.venv/bin/activate",
        workspace / "install/local_setup.bash",
    ):
        file.parent.mkdir(parents=True)
        file.write_text(f"SOURCED=$SOURCED:{file.name}; export SOURCED PATH={tmp_path}:$PATH\n")
    (tmp_path / "ros2").write_text('#!/bin/sh\necho "$SOURCED" "$@"\n')
    (tmp_path / "ros2").chmod(0o755)
    arguments = "profile:=jetson_orin image:=/camera/color/image_raw"
    env = {"PIXELRS_ROS": str(ros), "PIXELRS_WORKSPACE": str(workspace), "PIXELRS_ARGUMENTS": arguments}
    done = subprocess.run(exec_start(), capture_output=True, text=True, timeout=30, env={**os.environ, **env})
    launched = f"launch pixelrs_ros pixelrs.launch.py respawn:=false {arguments}"
    assert done.stdout == f":setup.bash:activate:local_setup.bash {launched}\n", done.stderr


def test_systemd_knows_every_line_of_the_service() -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    done = subprocess.run(["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "pixelrs.service" not in done.stderr, done.stderr
