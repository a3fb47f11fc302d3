"""The health check over DDS, from a process of its own, as a container runs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from node_bench import Bench

TIMEOUT_S = 30.0  # ends sooner as soon as it can be told


@contextmanager
def asked(*options: str, timeout_s: float = TIMEOUT_S) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "pixelrs_ros.cli", "health", "--timeout", str(timeout_s), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def verdict(bench: Bench, *options: str, timeout_s: float = TIMEOUT_S) -> tuple[int, str]:
    """Exit status and what was printed, while the node works."""
    with asked(*options, timeout_s=timeout_s) as process:
        while process.poll() is None:
            bench.executor.spin_once(timeout_sec=0.05)
        assert process.stdout is not None and process.stderr is not None
        return process.returncode, process.stdout.read() + process.stderr.read()


def test_an_active_node_without_a_camera_is_healthy_and_says_what_is_missing(bench: Bench) -> None:
    bench.activate()
    status, said = verdict(bench)
    assert status == 0
    assert said.startswith("/perception is active; ") and "camera image: no image has arrived yet" in said


def test_a_node_that_is_not_active_is_not_healthy(bench: Bench) -> None:
    status, said = verdict(bench, timeout_s=5.0)
    assert (status, said) == (1, "pixelrs health: /perception is unconfigured, not active\n")


def test_an_error_is_told_in_the_nodes_own_words(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns(), encoding="rgb8")
    bench.send("fail", bench.now_ns())
    bench.until(lambda: len(bench.segmentations) == 1)
    status, said = verdict(bench)
    assert status == 1
    assert said.startswith("pixelrs health: /perception: dialogue: ") and "camera" not in said


@pytest.mark.parametrize("options", [("--namespace", "/robot1/"), ("--perception", "other")])
def test_another_nodes_health_is_not_taken_for_it(bench: Bench, options: tuple[str, str]) -> None:
    bench.activate()
    status, said = verdict(bench, *options, timeout_s=5.0)
    name = {"--namespace": "/robot1/perception", "--perception": "/other"}[options[0]]
    assert status == 1 and f"nothing was heard of {name} within 5 s" in said and "ROS_DOMAIN_ID" in said
