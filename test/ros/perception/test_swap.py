"""A perception process whose checkpoint is swapped while a user talks: no turn is lost, and the dialogue goes on."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import rclpy
from pixelrs_ros.srv import ExportDialogue, MarkTurn, SwapCheckpoint
from rcl_interfaces.srv import GetParameters
from robot_process import DEADLINE_S, SESSION, User, start

from pixelrs_ros.checkpoint import resolve


@pytest.fixture
def user() -> Iterator[User]:
    rclpy.init()
    user = User()
    yield user
    user.client.destroy()
    user.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def robot(user: User, shipped: str, tmp_path: Path) -> Iterator[Popen[bytes]]:
    process = start(user, tmp_path / "store", shipped)
    yield process
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_S) == 0


@pytest.fixture
def terse(shipped: str, tmp_path: Path) -> str:
    """The shipped network, but it stops after two tokens: whose answer it is can be seen."""
    folder = tmp_path / "terse"
    shutil.copytree(resolve(shipped), folder)
    config = folder / "config.yaml"
    text = config.read_text()
    assert "max_answer_tokens: 64" in text
    config.write_text(text.replace("max_answer_tokens: 64", "max_answer_tokens: 2"))
    return str(folder)


def ask(user: User, service: Any, name: str, **request: Any) -> Any:
    client: Any = user.create_client(service, f"perception/{name}")
    assert client.wait_for_service(DEADLINE_S)
    future: Any = client.call_async(service.Request(**request))
    user.until(future.done, name)
    return future.result()


def parameter(user: User, name: str) -> Any:
    return ask(user, GetParameters, "get_parameters", names=[name]).values[0]


def checkpoint_of(user: User) -> str:
    return str(parameter(user, "checkpoint").string_value)


@pytest.mark.usefixtures("robot")
def test_the_next_turn_is_the_new_networks_and_no_turn_is_lost(user: User, shipped: str, terse: str) -> None:
    before = user.say("i am thirsty")
    client: Any = user.create_client(SwapCheckpoint, "perception/swap_checkpoint")
    assert client.wait_for_service(DEADLINE_S)
    swapped: Any = client.call_async(SwapCheckpoint.Request(checkpoint=terse))
    said = [before]
    while not swapped.done():  # turns are answered all the while
        said.append(user.say("the red one"))
    response = swapped.result()
    assert (response.success, response.message, response.previous) == (True, "", shipped)
    assert response.loading_s > 0 and checkpoint_of(user) == terse
    said.append(user.say("i am thirsty"))
    assert [each.turn for each in said] == list(range(len(said))), "each was answered, in its order"
    assert len(said[-1].text.split()) <= 2 < len(before.text.split())
    asked = ["i am thirsty", *["the red one"] * (len(said) - 2), "i am thirsty"]
    kept = parameter(user, "max_turns").integer_value  # a fast machine answers more turns than are kept
    assert [turn.text for turn in user.dialogue()] == asked[-kept:]

    back = ask(user, SwapCheckpoint, "swap_checkpoint", checkpoint=response.previous)
    assert back.success and back.previous == terse and checkpoint_of(user) == shipped
    assert user.say("i am thirsty").turn == len(said)


@pytest.mark.usefixtures("robot")
def test_a_checkpoint_that_cannot_be_used_changes_nothing(user: User, shipped: str, tmp_path: Path) -> None:
    for bad in (str(tmp_path / "missing"), "", str(tmp_path)):
        response = ask(user, SwapCheckpoint, "swap_checkpoint", checkpoint=bad)
        assert not response.success and "checkpoint" in response.message
        assert response.previous == shipped == checkpoint_of(user)
    assert user.say("i am thirsty").turn == 0


@pytest.mark.usefixtures("robot")
def test_turns_are_marked_by_name_and_by_words_and_exported_together(user: User) -> None:
    first = user.say("hand me a red mug")
    marked = ask(
        user, MarkTurn, "mark_turn", session_id=SESSION, instruction_id=first.instruction_id,
        verdict=MarkTurn.Request.BAD, note="that is a bowl",
    )  # fmt: skip
    assert (marked.success, marked.message, marked.turn) == (True, "", 0)
    user.say("something to drink from")
    assert [(turn.verdict, turn.note) for turn in user.dialogue()] == [
        (MarkTurn.Request.BAD, "that is a bowl"),
        (0, ""),
    ]
    assert ask(user, MarkTurn, "mark_turn", session_id=SESSION, verdict=MarkTurn.Request.GOOD).turn == 1
    for request, problem in (
        ({"session_id": "nobody"}, "has no turn"),
        ({"session_id": SESSION, "instruction_id": "none of mine"}, "has no turn of instruction 'none of mine'"),
        ({"session_id": SESSION, "verdict": 7}, "verdict must be CLEAR, GOOD or BAD, got 7"),
        ({"session_id": SESSION, "verdict": 1, "note": "x" * 2001}, "at most 2000"),
    ):
        refused = ask(user, MarkTurn, "mark_turn", **request)
        assert not refused.success and problem in refused.message
    exported = ask(user, ExportDialogue, "export_dialogue", marked=True)
    assert (exported.success, exported.message, exported.num_turns) == (True, "", 2)
    assert len(list((Path(exported.folder) / "images").iterdir())) == 2
    assert ask(user, MarkTurn, "mark_turn", session_id=SESSION).success
    assert [turn.verdict for turn in user.dialogue()] == [MarkTurn.Request.BAD, MarkTurn.Request.CLEAR]
