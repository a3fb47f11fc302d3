"""What the documents tell people to type and to open."""

import re
import shlex
from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelrs_ros.cli import build_parser
from pixelrs_ros.documents import pages
from pixelrs_ros.ros.parameters.layers import ARGUMENTS
from pixelrs_ros.ros.parameters.table import SPECS

ROOT = Path(__file__).resolve().parents[1]
PAGES = pages(ROOT)
LINKING = (*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")))
README_LINES = 150


def commands(page: Path) -> list[str]:
    """Its `pixelrs` commands: lines of its code blocks, and those with options inside its sentences."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    spoken = [command for command in re.findall(r"`(pixelrs [^`]+)`", text.replace("\n", " ")) if " --" in command]
    return [line for line in lines if line.startswith("pixelrs ")] + spoken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_the_documents_exists_with_its_options(page: Path) -> None:
    for command in commands(page):
        words = shlex.split(command, comments=True)
        build_parser().parse_args(words[1:])  # ends the process, and so the test, where there is no such option
        for word in words:
            assert not word.startswith("config/") or (ROOT / word).is_file(), command


def test_the_documents_do_show_commands() -> None:
    found = [command for page in PAGES for command in commands(page)]
    assert len(found) > 20 and any("assemble" in command for command in found)


def ros_commands(page: Path) -> list[str]:
    """Its `ros2` commands: lines of its code blocks, and those inside its sentences."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [line for line in lines if line.startswith("ros2 ")] + re.findall(r"`(ros2 [^`]+)`", text.replace("\n", " "))


def declared(name: str) -> set[str]:
    """The arguments of a launch file."""
    source = (ROOT / "launch" / name).read_text(encoding="utf-8")
    found = set(re.findall(r'DeclareLaunchArgument\(\s*"(\w+)"', source))
    return {*found, *ARGUMENTS} if "ARGUMENTS" in source else found


def check_launch(words: list[str]) -> None:
    assert {word.partition(":=")[0] for word in words[4:] if ":=" in word} <= declared(words[3])


def check_run(words: list[str]) -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert f'"{words[3]}:' in cmake
    given = {word.partition(":=")[0] for before, word in pairwise(words) if before == "-p"}
    assert words[3] != "perception" or given <= {*SPECS, "use_sim_time"}


def check_fields(message: Any, values: Any) -> None:
    for name, value in values.items():
        assert name in message.get_fields_and_field_types()
        if isinstance(value, dict):
            check_fields(getattr(message, name), value)
        else:
            setattr(message, name, value)  # generated code asserts the type


def check_message(words: list[str]) -> None:
    """What is said to a topic, a service or an action, which has its type and its fields."""
    (number,) = [number for number, word in enumerate(words) if re.fullmatch(r"\w+/(msg|srv|action)/\w+", word)]
    package, kind, name = words[number].split("/")
    found = getattr(import_module(f"{package}.{kind}"), name)
    part = {"msg": "", "srv": "Request", "action": "Goal"}[kind]
    check_fields(getattr(found, part)() if part else found(), yaml.safe_load(words[number + 1]))


CHECKS: dict[tuple[str, str], Callable[[list[str]], None]] = {
    ("launch", "pixelrs_ros"): check_launch,
    ("run", "pixelrs_ros"): check_run,
    ("topic", "pub"): check_message,
    ("service", "call"): check_message,
    ("action", "send_goal"): check_message,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_ros2_command_of_the_documents_is_about_what_there_is(page: Path) -> None:
    for command in ros_commands(page):
        words = shlex.split(command.replace("…", ""), comments=True)
        if len(words) > 3 and (words[1], words[2]) in CHECKS:
            CHECKS[words[1], words[2]](words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_parameter_of_the_documents_exists(page: Path) -> None:
    for block in re.findall(
        r"```yaml\n(/\*\*:\n  ros__parameters:\n.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
    ):
        given = yaml.safe_load(block)["/**"]["ros__parameters"]
        assert given.keys() <= {*SPECS, "use_sim_time"}
        assert all(type(given[name]) is type(spec.default) for name, spec in SPECS.items() if name in given)


def test_the_documents_do_show_ros2_commands() -> None:
    found = {tuple(command.split()[1:3]) for page in PAGES for command in ros_commands(page)}
    assert found >= CHECKS.keys()


@pytest.mark.parametrize(
    "path", [*PAGES, *sorted(ROOT.glob("pixelrs_ros/**/*.py"))], ids=lambda path: str(path.relative_to(ROOT))
)
def test_pip_is_told_to_install_what_there_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"pip install (-\S+ )*['\"]?pixelrs_ros\b", text), "no index has it, or a stranger's"
    for name in re.findall(r"\brequirements/[\w.-]+\.txt", text):
        assert (ROOT / name).is_file(), name
    extras = re.findall(r'^        "(\w+)": ', (ROOT / "setup.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert {*re.findall(r"pip install (?:-e )?['\"]?\.\[(\w+)\]", text)} <= {*extras}


def anchors(page: Path) -> set[str]:
    """What its headings can be linked by, as GitHub makes it."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_of_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES
