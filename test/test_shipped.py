"""The network that comes with the package, on scenes that it was not trained with."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pixelrs_ros.checkpoint import check_weights
from pixelrs_ros.commands.evaluate import load_engine
from pixelrs_ros.data.generate import generate
from pixelrs_ros.evaluation.evaluate import Job, evaluate
from pixelrs_ros.evaluation.play import HEADLINE, Condition
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.shipped import CHECKPOINTS_DIR

SHIPPED = sorted(path.name for path in CHECKPOINTS_DIR.iterdir() if path.is_dir())
MAX_BYTES = 60_000_000
BLIND = Condition(blind=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes that nobody has looked at, talked about as in `test` and, in the held-out voices, as in `test_direct`."""
    path = tmp_path_factory.mktemp("data") / "prist"
    generate(path, {"test": 16, "test_talk": 16}, seed=4242, dialogues_per_image={"test": 1, "test_talk": 1})
    return path


def played(folder: Path, checkpoint: str, split: str) -> dict[str, Any]:
    """What a network reaches with its own answers as history, by condition: with open eyes and blind."""
    samples = Samples.load(folder, split)
    report, _ = evaluate(Job(samples, (HEADLINE, BLIND)), partial(load_engine, checkpoint, "cpu", None))
    rows: dict[str, Any] = report["conditions"]
    return rows


def test_what_is_shipped_is_small_and_whole() -> None:
    assert SHIPPED == ["nano"]
    for name in SHIPPED:
        assert sum(file.stat().st_size for file in (CHECKPOINTS_DIR / name).iterdir()) < MAX_BYTES
        assert check_weights(name) > 400


@pytest.mark.parametrize(
    ("split", "count", "referents", "g_iou"),  # a random object: 0.06 and 0.06, 0.12 and 0.12
    [("test", 16, 0.3, 0.25), ("test_direct", 48, 0.5, 0.45)],
)
def test_it_finds_what_is_meant_and_only_with_open_eyes(
    folder: Path, split: str, count: int, referents: float, g_iou: float
) -> None:
    rows = played(folder, "nano", split)
    row, blind = rows[HEADLINE.name], rows[BLIND.name]
    assert row["count"] == count
    assert row["referent_right"] >= referents
    assert row["g_iou"] >= g_iou
    assert row["g_iou"] >= blind["g_iou"] + 0.1
    assert row["right"] >= blind["right"] + 0.2
