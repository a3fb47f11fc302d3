from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pixelrs_ros import cli
from pixelrs_ros.commands import segment
from pixelrs_ros.errors import OutputError
from pixelrs_ros.types import Frame, GroundedPhrase, Reply, Segment, Status, Utterance


def say(utterance: Utterance, frame: Frame) -> Reply:
    """Grounds what is red, when asked for the mug."""
    if "mug" not in utterance.text:
        return Reply(Status.CLARIFY, "Which one?", latency_ms={"total": 12.0})
    mask = frame.image[..., 0] > 150
    return Reply(
        Status.GROUNDED,
        "Here: the red mug.",
        segments=(Segment("the red mug", mask, 0.9),),
        phrases=(GroundedPhrase(6, 17, 0),),
        latency_ms={"total": 34.0},
    )


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(segment, "open_session", lambda *_: SimpleNamespace(say=say))
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:30, 20:50, 2] = 255  # red, in OpenCV's order
    path = tmp_path / "scene.png"
    cv2.imwrite(str(path), image)
    return path


def test_a_dialogue_prints_its_answers_and_writes_its_masks(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["segment", str(picture), "--say", "I am thirsty", "--say", "the mug", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Which one?" in printed and "clarify, 12 ms" in printed
    assert "Here: the red mug." in printed and "grounded, score 0.90, 34 ms" in printed
    assert sorted(path.name for path in out.iterdir()) == [
        "turn_1_overlay.png",
        "turn_2_mask.png",
        "turn_2_overlay.png",
    ]
    mask = np.asarray(cv2.imread(str(out / "turn_2_mask.png"), cv2.IMREAD_UNCHANGED))
    assert mask.shape == (40, 60) and np.count_nonzero(mask == 255) == 600 and set(np.unique(mask)) == {0, 255}
    before, after = (np.asarray(cv2.imread(str(out / f"turn_{n}_overlay.png"))) for n in (1, 2))
    assert (before[0, 0] == after[0, 0]).all() and (before[20, 30] != after[20, 30]).any()


def test_what_is_no_picture_is_said_clearly(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    for path, reason in ((tmp_path / "lost.png", "no file"), (text, "not a picture"), (tmp_path, "no file")):
        assert cli.main(["segment", str(path), "--say", "the mug", "--out", str(tmp_path / "out")]) == 1
        error = capsys.readouterr().err
        assert error.startswith("pixelrs segment: ") and reason in error and str(path) in error
    assert cli.main(["segment", str(picture), "--say", "  ", "--out", str(tmp_path / "out")]) == 1
    assert "instruction is empty" in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_told_and_not_named_as_written(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (out / "turn_1_overlay.png").mkdir(parents=True)
    assert cli.main(["segment", str(picture), "--say", "the mug", "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "turn_1_overlay.png cannot be written: there is a folder of this name" in said.err
    assert "turn_1" not in said.out
    assert [path.name for path in out.iterdir()] == ["turn_1_overlay.png"]


def test_a_file_that_may_not_grow_so_large_is_told(tmp_path: Path, small_files: None) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    with pytest.raises(OutputError, match=r"turn_1_overlay\.png cannot be written: File too large"):
        segment.write_turn(tmp_path, 1, noise, Reply(Status.ANSWERED, "x"))
    assert not list(tmp_path.iterdir())
