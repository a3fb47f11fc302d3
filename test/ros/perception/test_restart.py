"""A perception process with the shipped checkpoint that is killed: its dialogue goes on in the next one."""

from __future__ import annotations

import signal
from pathlib import Path

import rclpy
from robot_process import DEADLINE_S, User, start


def test_after_kill_9_the_dialogue_goes_on_where_it_stopped(shipped: str, tmp_path: Path) -> None:
    rclpy.init()
    user = User()
    process = start(user, tmp_path, shipped)
    try:
        for index, text in enumerate(("i am thirsty", "the red one")):
            assert user.say(text).turn == index
        before = user.dialogue()
        user.partials.clear()
        user.send("no, the other one")
        user.until(lambda: bool(user.partials), "the first words of a third turn")
        process.send_signal(signal.SIGKILL)
        assert process.wait(DEADLINE_S) == -signal.SIGKILL
        user.until(lambda: user.count_publishers("explanation") == 0, "the node to be gone")
        process = start(user, tmp_path, shipped)
        after = user.dialogue()
        assert after[:2] == before and [turn.text for turn in before] == ["i am thirsty", "the red one"]
        assert user.say("no, the other one").turn == len(after)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0
        user.client.destroy()
        user.destroy_node()
        rclpy.shutdown()
