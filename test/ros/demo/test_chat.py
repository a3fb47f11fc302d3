"""The picture that the chat shows for a turn, and what it says where it cannot write one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import rclpy
from pixelrs_ros.msg import Explanation, Segmentation
from rclpy.node import Node
from rich.console import Console
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.client import RELIABLE, Answer
from pixelrs_ros.ros.demo.chat import Chat, ChatClient, main
from pixelrs_ros.ros.wire import conversions

DEADLINE_S = 20.0
HEADER = Header(stamp=conversions.ns_to_stamp(7))


@pytest.fixture
def client() -> Iterator[ChatClient]:
    rclpy.init()
    client = ChatClient()
    yield client
    client.destroy()
    rclpy.shutdown()


def an_overlay(value: int) -> Image:
    return conversions.fill_image(Image(), HEADER, np.full((2, 2, 3), value, np.uint8), "rgb8")


def test_of_two_turns_about_one_image_each_has_its_own_picture(client: ChatClient) -> None:
    robot = Node("robot")
    overlays = robot.create_publisher(Image, "overlay", RELIABLE)
    client.wait(lambda: overlays.get_subscription_count() > 0, DEADLINE_S, "nobody listens")
    answer = Answer(Segmentation(header=HEADER), Explanation(header=HEADER))
    for value in (1, 2):
        client.send("which?", session_id="default")
        overlays.publish(an_overlay(value))
        assert client.picture(answer).data[0] == value
    robot.destroy_node()


class Robot:
    """Stands for the client: every answer has the same picture."""

    def say(self, text: str, **_: Any) -> Answer:
        message = Segmentation(header=HEADER, status=Segmentation.ANSWERED)
        return Answer(message, Explanation(header=HEADER, status=Segmentation.ANSWERED, text=f"“{text}”"))

    def picture(self, answer: Answer) -> Image:
        return an_overlay(7)


def test_the_chat_goes_on_when_a_picture_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "turn_001.png").mkdir()
    said = io.StringIO()
    chat = Chat(cast(ChatClient, Robot()), Console(file=said, width=1000), tmp_path, scene_seed=1)
    assert chat.handle("first") and not chat.wrote_all
    assert f"picture: {tmp_path / 'turn_001.png'} cannot be written: there is a folder of this name" in said.getvalue()
    assert chat.handle("second") and not chat.wrote_all
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["turn_002.png"]
    assert f"picture: {tmp_path / 'turn_002.png'}\n" in said.getvalue()


@pytest.mark.parametrize("out", ["file", "file/deeper", "/proc/chat"])
def test_a_folder_that_cannot_be_made_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    (tmp_path / "file").touch()
    assert main(["--out", str(tmp_path / out)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"chat: {tmp_path / out} cannot be written: ") and said.count("\n") == 1


def test_a_terminal_without_unicode_does_not_end_the_chat(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from rich.console import Console; from pixelrs_ros import files; from pixelrs_ros.ros.demo.chat import Chat\n"
        "from test_chat import Robot\n"
        "files.print_whatever_the_terminal_knows()\n"
        "assert Chat(Robot(), Console(), Path(sys.argv[2]), 1).handle('the mug')\n"
    )
    command = [sys.executable, "-X", "utf8=0", "-c", code, str(Path(__file__).parent), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False)
    assert run.returncode == 0, run.stderr
    assert b"\\u201cthe mug\\u201d" in run.stdout
