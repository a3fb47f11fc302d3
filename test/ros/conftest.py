"""What the tests share that run the node: it and its caller, and the shipped checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # a test that needs no graph does not wait for ROS
    from node_bench import Bench


@pytest.fixture(scope="session")
def shipped() -> str:
    """Name of the shipped checkpoint; without it these tests fail, since without it the package is not whole."""
    from pixelrs_ros.checkpoint import resolve  # needs torch, which most tests of messages and queues do not

    resolve("nano")
    return "nano"


@pytest.fixture
def bench() -> Iterator[Bench]:
    """The node with a network that echoes, of which two instructions of a dialogue may wait."""
    import rclpy
    from node_bench import Bench, Echo

    rclpy.init()
    bench = Bench(Echo(), max_waiting=2)
    yield bench
    bench.close()
    rclpy.shutdown()
