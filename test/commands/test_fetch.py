"""Names and licenses of `pixelrs fetch`; what it fetches is in test/fetch."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pixelrs_ros.cli import main
from pixelrs_ros.fetch import fetching
from pixelrs_ros.fetch.licenses import is_accepted
from pixelrs_ros.published import published

NAME = "qwen3-vl-2b_sam2"


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been fetched."""
    names: list[str] = []
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(fetching, "fetch", lambda name, *_: names.append(name))
    return names


def test_a_license_is_shown_and_asked_for_once(
    fetched: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["fetch", NAME]) == 0
    told = capsys.readouterr().out
    assert "Apache-2.0" in told and "https://huggingface.co/Qwen/Qwen3-VL-2B-Instruct" in told
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["fetch", NAME]) == 0
    assert "Apache-2.0" not in capsys.readouterr().out
    assert fetched == [NAME, NAME]


@pytest.mark.parametrize("stdin", [Terminal("n\n"), Terminal("\n"), Terminal(""), io.StringIO("y\n")])
def test_a_license_that_is_not_accepted_fetches_nothing(
    stdin: io.StringIO, fetched: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["fetch", NAME]) == 1
    assert "--accept-license" in capsys.readouterr().err
    assert not fetched and not is_accepted(NAME, published()[NAME])


def test_an_acceptance_can_be_given_with_the_command_and_holds_for_its_words(fetched: list[str]) -> None:
    assert main(["fetch", NAME, "--accept-license"]) == 0
    assert fetched == [NAME]
    weights = published()
    assert is_accepted(NAME, weights[NAME])
    assert not is_accepted(NAME, weights["lisa-7b-v1"])


def test_unknown_and_missing_names(fetched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "qwen3-vl-2b"]) == 1
    assert f"did you mean {NAME}" in capsys.readouterr().err
    assert main(["fetch"]) == 1
    assert "--list" in capsys.readouterr().err


def test_the_list_names_all(fetched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in published())
