"""Published figures stand beside ours where the data is what they were measured on, and nowhere else."""

from __future__ import annotations

import json
import shutil
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
from tiny_vlm import force, write_vlm

from pixelrs_ros import cli
from pixelrs_ros.commands import evaluate as command
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.engine.vlm.engine import VlmEngine
from pixelrs_ros.evaluation.published import NOTE, data_set_of
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.files import write_picture

SHOWS = 'This.", "ask": false, "objects": [{"phrase": "This", "bbox_2d": [0, 0, 900, 900]}]}'
OPEN_IMAGES = "68789c2662f45c96.jpg"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vlm(tmp_path_factory.mktemp("vlm") / "it")


def reasonseg(folder: Path, split: str) -> Path:
    """A picture with a question about it."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    write_picture(folder / split / "0.jpg", picture)
    shape = {"label": "target", "shape_type": "polygon", "points": [[2, 2], [40, 2], [40, 30], [2, 30]]}
    content = {"text": ["What keeps the rain off?"], "is_sentence": True, "shapes": [shape]}
    (folder / split / "0.json").write_text(json.dumps(content))
    return folder


def prist(folder: Path, data_sets: Path, img_id: str) -> Path:
    """PRIST has the names of Open Images, and nothing beyond its three keys."""
    shutil.copytree(data_sets / "prist", folder)
    (dialogue, _) = json.loads((folder / "train.json").read_text())
    (folder / "train.json").unlink()
    for part, ending in (("images", "jpg"), ("masks", "json")):
        (folder / part / f"0.{ending}").rename(folder / part / f"{Path(img_id).stem}.{ending}")
    (folder / "test.json").write_text(json.dumps([{**dialogue, "img_id": img_id}]))
    return folder


@pytest.mark.parametrize(
    ("data", "split", "title", "metric", "figures"),
    [
        (
            "reasonseg", "val", "ReasonSeg, val: gIoU in percent", "g_iou",
            {"LISA-7B": "52.90", "LISA++": "64.20", "Seg-Zero-7B": "62.60", "VisionReasoner-7B": "66.30"},
        ),
        ("prist", "test", "PRIST, test: cIoU in percent", "c_iou", {"MIRAS": "14.72", "LISA, fine-tuned": "11.23"}),
    ],
)  # fmt: skip
def test_published_figures_stand_beside_ours(
    data: str, split: str, title: str, metric: str, figures: dict[str, str], checkpoint: Path, data_sets: Path,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path / "data"
    folder = reasonseg(folder, split) if data == "reasonseg" else prist(folder, data_sets, OPEN_IMAGES)
    engine = open_answerer(checkpoint)
    assert isinstance(engine, VlmEngine)
    force(engine, repeat(SHOWS))
    monkeypatch.setattr(command, "load_engine", lambda *_: engine)
    found, page = tmp_path / "a.json", tmp_path / "a.html"
    arguments = ["--data", str(folder), "--split", split, "--checkpoint", str(checkpoint), "--format", data]
    assert cli.main(["evaluate", *arguments, "--json", str(found), "--report", str(page)]) == 0
    (report,) = json.loads(found.read_text())["reports"]
    ours = f"{100 * report['conditions']['own history'][metric]:.2f}"
    assert float(ours) > 1
    for text in (" ".join(capsys.readouterr().out.split()), page.read_text()):
        assert title in text and f"{checkpoint}, own history" in text and NOTE in text
        beside = text[text.index(title) :]
        assert ours in beside
        for network, figure in figures.items():
            assert f"{network} (published)" in beside and figure in beside


def test_other_splits_and_other_data_of_the_same_form_get_none(
    checkpoint: Path, data_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert data_set_of(Samples.load(prist(tmp_path / "mine", data_sets, "mug.jpg"), "test")) is None
    refer = tmp_path / "refer"
    shutil.copytree(data_sets / "images", refer / "images")
    shutil.copy(data_sets / "instances.json", refer)
    shutil.copy(data_sets / "refs.json", refer)
    assert data_set_of(Samples.load(refer, "val")) is None
    folder = reasonseg(tmp_path / "reasonseg", "train")
    assert data_set_of(Samples.load(folder, "train")) == "ReasonSeg"
    arguments = ["--data", str(folder), "--split", "train", "--checkpoint", str(checkpoint)]
    assert cli.main(["evaluate", *arguments]) == 0
    assert "(published)" not in capsys.readouterr().out
