"""What the documents tell people to type."""

import re
import shlex
from pathlib import Path

import pytest

from pixelrs_ros.cli import build_parser

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "pixelrs_ros" / "checkpoints" / "README.md")


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
