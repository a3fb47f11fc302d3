"""What is done to the node, for the table in docs/robustness.md, and the nodes that it is done to."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from fault_bench import Caller, QuickEngine, hosted
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.ros.tools.processes import Processes


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "fault(done, answer, cases=1, real=...): a row of the table in docs/robustness.md; cases of one test"
    )


@pytest.fixture
def fuzz_seed() -> int:
    """What fuzzed messages are drawn from: the same in continuous integration, new ones everywhere else."""
    given = os.environ.get("PIXELRS_FUZZ_SEED")
    drawn = int(given) if given else 0 if os.environ.get("CI") else random.SystemRandom().randrange(2**32)
    print(f"the same messages again: PIXELRS_FUZZ_SEED={drawn}")  # pytest shows it where the test fails
    return drawn


@pytest.fixture
def engine(
    monkeypatch: pytest.MonkeyPatch, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> QuickEngine:
    """What every node of this process loads, whatever its checkpoint."""
    quick = QuickEngine(debug_miras, debug_config, debug_tokenizer)
    monkeypatch.setattr(Engine, "from_checkpoint", staticmethod(lambda *_, **__: quick))
    return quick


@pytest.fixture
def host(engine: QuickEngine) -> Callable[..., Any]:
    """Starts a node in this process; a context manager that gives the node and its caller."""
    return hosted


@pytest.fixture
def caller(host: Callable[..., Any]) -> Iterator[Caller]:
    """Of an active node in this process."""
    with host() as (_, caller):
        yield caller


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path / "logs") as processes:
        yield processes


@pytest.fixture
def outside() -> Iterator[Caller]:
    """Camera and user of a node in another process."""
    rclpy.init()
    caller = Caller()
    yield caller
    caller.destroy_node()
    rclpy.shutdown()
