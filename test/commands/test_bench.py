"""`pixelrs bench` measures over DDS what it measures in its own process: the same network, run in the same way."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pixelrs_ros.commands import bench
from pixelrs_ros.errors import PixelrsError


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(arguments)


def test_the_part_over_ros_is_given_every_choice_of_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    def run(command: list[str]) -> Any:
        asked.append(dict(zip(command[3::2], command[4::2], strict=True)))
        Path(asked[-1]["--json"]).write_text(json.dumps({"warm": {}}), encoding="utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert bench.measure_ros(options("--threads", "3", "--precision", "fp32", "--repeats", "4")) == {"warm": {}}
    bench.measure_ros(options())
    given, default = asked
    assert {name: given[f"--{name}"] for name in ("threads", "precision", "backend", "repeats", "checkpoint")} == {
        "threads": "3",
        "precision": "fp32",
        "backend": "torch",
        "repeats": "4",
        "checkpoint": "nano",
    }
    assert default["--threads"] == "0", "the node's own default"


def test_a_failure_of_the_part_over_ros_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command: subprocess.CompletedProcess(command, 1))
    with pytest.raises(PixelrsError, match="--no-ros"):
        bench.measure_ros(options())
