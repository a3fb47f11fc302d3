"""The network that comes with the package, on scenes that it was not trained with."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from skimage import data as photographs

from pixelrs_ros.checkpoint import check_weights
from pixelrs_ros.commands.evaluate import load_engine
from pixelrs_ros.data.generate import generate
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.evaluation.evaluate import Job, evaluate
from pixelrs_ros.evaluation.play import HEADLINE, Condition
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.shipped import CHECKPOINTS_DIR
from pixelrs_ros.types import Frame, Utterance

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


def test_photographs_are_told_from_pictures_like_its_training_and_score_low(folder: Path) -> None:
    engine = Engine.from_checkpoint("nano")
    samples = Samples.load(folder, "test")
    usual = [engine.encode(samples.read(group[0].img_id)[0]).novelty for group in samples.by_image()]
    assert len(usual) == 16 and sum(novelty > 1 for novelty in usual) <= 2
    found, scores = [], []
    for name in ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry", "retina"):
        frame = Frame(getattr(photographs, name)())
        for order in ("the red mug", "the handle of the red mug", "the biggest thing", "Give me the spoon."):
            reply = Session(engine).say(Utterance(order), frame)
            found.append(reply.novelty)
            scores += [segment.score for segment in reply.segments]
    assert sum(novelty > 1 for novelty in found) >= 0.8 * len(found)
    assert scores, "some orders are answered with a mask, or this shows nothing"
    assert max(scores) < 0.3


def test_it_says_what_it_has_seen() -> None:
    session = Session(Engine.from_checkpoint("nano"))
    assert "rendered tabletops" in session.about and "no photographs of tables" in session.about
