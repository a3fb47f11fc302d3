"""The demo and the chat as their users start them."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from pixelrs_ros.data.bag_turns import read_dialogues
from pixelrs_ros.data.bags import Bag
from pixelrs_ros.data.from_bag import write_from_bag
from pixelrs_ros.ros.demo.run import RECORDING
from pixelrs_ros.ros.demo.script import LENGTHS

TIMEOUT_S = 240.0


def test_the_demo_plays_dialogues_and_reports_them(shipped: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pixelrs_ros.ros.demo.run", "--out", str(tmp_path), "--dialogues", "2"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert run.returncode == 0, run.stdout + run.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    turns = results["turns"]
    by_session = {name: [t for t in turns if t["session_id"] == name] for name in ("dialogue_1", "dialogue_2")}
    for played, length in zip(by_session.values(), LENGTHS, strict=False):
        assert [turn["turn"] for turn in played] == list(range(length))
        assert played[-1]["target"]
        assert played[-1]["iou"] is not None
    assert len({turn["camera"] for turn in by_session["dialogue_2"]}) == 2
    assert all(turn["latency_ms"]["total"] > 0 for turn in turns)
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("data:image/jpeg") == 2 * len(turns)
    with Bag(tmp_path / RECORDING) as bag:
        dialogues, _ = read_dialogues(bag, bag.robot())
    recorded = [(turn.turn.text, turn.text) for dialogue in dialogues for turn in dialogue.turns]
    assert recorded == [(turn["text"], turn["explanation"]) for turn in turns]
    written = write_from_bag(tmp_path / RECORDING, tmp_path / "prist")
    assert written.without_picture == 0 and written.examples > 0


def test_the_chat_answers_piped_lines_and_writes_pictures(shipped: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pixelrs_ros.ros.demo.chat", "--scene", "7", "--out", str(tmp_path)]
    lines = "I am thirsty.\n/move\nthe one on the left\n/nonsense\n/reset\n"
    run = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("status: ") == 2
    assert "Forgot 2 turns" in run.stdout
    for number in (1, 2):
        picture = cv2.imread(str(tmp_path / f"turn_{number:03d}.png"))
        assert picture is not None
        assert picture.shape == (480, 640, 3)


def test_a_demo_whose_robot_cannot_start_fails_and_says_why(tmp_path: Path) -> None:
    code = (
        "import sys; from pixelrs_ros.ros.demo import run as demo; from pixelrs_ros.ros.tools import processes\n"
        "start = processes.Processes.start\n"
        "def spoilt(self, name, module, *arguments):\n"
        "    more = ('-p', 'checkpoint:=nowhere') if name == 'perception' else ()\n"
        "    start(self, name, module, *arguments, *more)\n"
        "processes.Processes.start = spoilt\n"
        f"sys.exit(demo.main(['--out', {str(tmp_path)!r}]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert run.returncode == 1
    assert "perception died" in run.stdout
    assert "nowhere" in run.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--params-file", "/nowhere.yaml"), "--params-file: there is no file '/nowhere.yaml'"),
        (("--namespace", "robot-1"), "--namespace: Invalid namespace"),
    ],
)
def test_a_demo_starts_no_node_with_an_impossible_argument(tmp_path: Path, given: tuple[str, str], said: str) -> None:
    command = [sys.executable, "-m", "pixelrs_ros.ros.demo.run", "--out", str(tmp_path / "out"), *given]
    run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (run.returncode, run.stdout) == (2, "") and said in run.stderr
    assert not (tmp_path / "out").exists()
