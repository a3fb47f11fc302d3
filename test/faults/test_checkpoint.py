"""Checkpoints that are damaged, given to perception processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rclpy
from fault_bench import START_S, Caller
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from safetensors.numpy import load_file, save_file

from pixelrs_ros.checkpoint import WEIGHTS, resolve
from pixelrs_ros.ros.tools.processes import Processes

NODE = "pixelrs_ros.ros.perception.node"
DONE = "checkpoint truncated, of a wrong shape, without one of its files, or missing"
ANSWER = (
    "configuring fails and the log says why; the node stays unconfigured and takes another checkpoint; with "
    "`autostart` its exit status is 1"
)


def truncate(folder: Path) -> None:
    weights = folder / WEIGHTS
    with weights.open("r+b") as file:
        file.truncate(weights.stat().st_size // 2)


def misshape(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    name = sorted(weights)[0]
    weights[name] = weights[name][..., :-1].copy()
    save_file(weights, folder / WEIGHTS)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (truncate, "is not a safetensors file"),
    "wrong shape": (misshape, "does not fit its configuration"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "lacks tokenizer.json"),
    "no configuration": (lambda folder: (folder / "config.yaml").unlink(), "config.yaml"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), f"lacks {WEIGHTS}"),
    "no folder": (shutil.rmtree, "no checkpoint folder"),
}


def copy_of_the_shipped(folder: Path, damage: Callable[[Path], object]) -> Path:
    shutil.copytree(resolve("nano"), folder)
    damage(folder)
    return folder


class Robot:
    """A perception process that waits to be configured."""

    def __init__(self, processes: Processes, caller: Caller) -> None:
        self._processes, self._caller = processes, caller
        processes.start("robot", NODE, "-p", "store_dialogues:=false")

    def said(self) -> str:
        return self._processes.log_tail("robot")

    def configure(self, checkpoint: str) -> bool:
        """Whether it could be configured with a checkpoint; it is unconfigured afterwards."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=checkpoint)
        change = [Parameter(name="checkpoint", value=value)]
        (result,) = self._caller.call(SetParameters, "perception/set_parameters", parameters=change).results
        assert result.successful, result.reason
        configured = self._caller.change_state(Transition.TRANSITION_CONFIGURE)
        if configured:
            assert self._caller.change_state(Transition.TRANSITION_CLEANUP)
        state = self._caller.call(GetState, "perception/get_state").current_state
        assert state.label == "unconfigured"
        return configured


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Robot]:
    with Processes(tmp_path_factory.mktemp("logs")) as processes:
        rclpy.init()
        caller = Caller()
        yield Robot(processes, caller)
        caller.destroy_node()
        rclpy.shutdown()
        assert processes.ended() == []
        assert processes.stop() == {"robot": 0}


@pytest.mark.fault(DONE, ANSWER)
@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_checkpoint_leaves_the_node_serviceable(robot: Robot, kind: str, tmp_path: Path) -> None:
    damage, words = DAMAGES[kind]
    folder = copy_of_the_shipped(tmp_path / "mine", damage)
    assert not robot.configure(str(folder))
    assert words in robot.said() and "(parameters 'checkpoint', 'device')" in robot.said()
    assert robot.configure("nano"), "another checkpoint works at once"
    assert "Traceback" not in robot.said()


@pytest.mark.fault(DONE, ANSWER)
def test_a_node_that_was_to_start_by_itself_ends_with_a_status(processes: Processes, tmp_path: Path) -> None:
    folder = copy_of_the_shipped(tmp_path / "mine", truncate)
    processes.start("robot", NODE, "-p", f"checkpoint:={folder}", "-p", "autostart:=true")
    assert processes.wait("robot", START_S) == 1
    said = processes.log_tail("robot")
    assert "is not a safetensors file" in said and "Traceback" not in said
