"""A short soak: what `pixelrs_ros.ros.tools.soak` does for ten minutes, with the debug network."""

from __future__ import annotations

from pathlib import Path

import pytest
import rclpy
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.ros.tools.soak import Soak, soak

TURNS = 300


@pytest.mark.fault(
    "a soak: turn after turn of 20 dialogues, a store and a changing picture (`pixelrs_ros.ros.tools.soak`)",
    "no turn is lost and the memory stays flat (the long run is in `benchmarks/soak.json`)",
    cases=TURNS,
)
def test_no_turn_is_lost_and_memory_stays_flat(
    tmp_path: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    save_checkpoint(tmp_path / "debug", debug_miras, debug_config, debug_tokenizer)
    rclpy.init()
    found = soak(str(tmp_path / "debug"), TURNS, minutes=5.0, max_turns=3, report=lambda line: None)
    rclpy.shutdown()
    assert (found.turns, found.lost, found.failed) == (TURNS, 0, 0), found.statuses
    assert found.growth < 0.05, found.samples


def test_growth_is_that_after_the_warm_up() -> None:
    flat = Soak(1, turns=100, samples=[(turn, 100.0 if turn < 20 else 300.0) for turn in range(100)])
    assert flat.growth == 0.0
    leaking = Soak(1, turns=100, samples=[(turn, 300.0 + turn) for turn in range(100)])
    assert leaking.growth == pytest.approx(389.5 / 329.5 - 1)
    assert Soak(16, turns=100, samples=flat.samples).growth == 0.0, "too short to tell"
