"""Parameters of a live node: what changes takes effect, what cannot is refused with the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import rclpy
from node_bench import Bench, Echo
from pixelrs_ros.msg import Segmentation
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.ros.parameters.spec import Change
from pixelrs_ros.ros.parameters.table import SPECS
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.planner.node import GraspPlanner
from pixelrs_ros.ros.queueing.bound_frame import Stream
from pixelrs_ros.ros.speech.node import SpeechNode
from pixelrs_ros.ros.wire import conversions

S = 1_000_000_000
# Other values than the default, where no range gives one.
OTHERS: dict[str, Any] = {
    "checkpoint": "small",
    "device": "cuda:1",
    "backend": "onnx",
    "precision": "fp32",
    "language_weights": "int8",
    "onnx_dir": "/somewhere",
    "storage_dir": "/somewhere",
    "image_transport": "compressed",
    "depth_transport": "compressedDepth",
    "image_topics": ["left", "right"],
    "depth_topics": ["elsewhere"],
    "camera_info_topics": ["elsewhere"],
    "image_bits": 12,
    "target_frame": "base_link",
}


def another(name: str) -> Any:
    """A possible value of a parameter that is not its default."""
    spec = SPECS[name]
    if isinstance(spec.default, bool):
        return not spec.default
    if name in OTHERS or spec.low is None or isinstance(spec.default, (str, list)):
        return OTHERS[name]
    return type(spec.default)(spec.low if spec.low != spec.default else spec.low + 1)


@pytest.fixture
def bench() -> Iterator[Bench]:
    rclpy.init()
    bench = Bench(Echo())
    yield bench
    bench.close()
    rclpy.shutdown()


def put(bench: Bench, name: str, value: object) -> str:
    """Set a parameter; why it was refused, empty when it was not."""
    (result,) = bench.node.set_parameters([Parameter(name, value=value)])
    assert result.successful == (not result.reason)
    return str(result.reason)


def test_what_is_read_once_is_refused_while_it_would_have_no_effect(bench: Bench) -> None:
    others = {
        name: another(name)
        for name, spec in SPECS.items()
        if spec.change in (Change.WHEN_UNCONFIGURED, Change.WHEN_INACTIVE)
    }
    bench.activate()
    for name, value in others.items():
        assert f"{name!r} is read when the node is" in put(bench, name, value)
        assert not put(bench, name, list(kept) if isinstance(kept := getattr(bench.node.values, name), tuple) else kept)
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    for name, value in others.items():
        assert bool(put(bench, name, value)) == (SPECS[name].change is Change.WHEN_UNCONFIGURED)
    assert bench.node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    for name, value in others.items():
        assert not put(bench, name, value)
        held = getattr(bench.node.values, name)
        assert (list(held) if isinstance(held, tuple) else held) == value


def test_cameras_that_were_changed_while_inactive_are_listened_to(bench: Bench) -> None:
    bench.activate()
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert not put(bench, "image_topics", ["left"])
    assert bench.node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    bench.images = bench.caller.create_publisher(Image, "left", 10)
    bench.until(lambda: bench.images.get_subscription_count() > 0)
    bench.show(bench.now_ns(), value=5)
    bench.send("which", 0)
    assert bench.answers(1) == [(Segmentation.ANSWERED, "which 5")]


def test_what_says_that_it_only_counts_at_start_is_read_only(bench: Bench) -> None:
    assert [name for name, spec in SPECS.items() if spec.change is Change.AT_START] == ["autostart"]
    assert "read-only" in put(bench, "autostart", True)


def test_values_out_of_range_or_of_the_wrong_type_are_refused(bench: Bench) -> None:
    before = bench.node.values
    for name, spec in SPECS.items():
        wrong: list[object] = [3 if isinstance(spec.default, str) else "many"]
        if spec.low is not None and spec.high is not None:
            kind: Any = type(spec.default)
            wrong += [kind(spec.low - 1), kind(spec.high * 2 + 1), True]
        if isinstance(spec.default, float):
            wrong += [float("nan"), float("inf"), float("-inf")]
        for value in wrong:
            assert put(bench, name, value), f"{name} := {value}"
    assert bench.node.values == before


def test_numbers_that_are_none_are_refused_at_the_start() -> None:
    rclpy.init()
    try:
        for name in [name for name, spec in SPECS.items() if isinstance(spec.default, float)]:
            with pytest.raises(ConfigError, match=f"'{name}'"):
                PerceptionNode(parameter_overrides=[Parameter(name, value=float("nan"))])
    finally:
        rclpy.shutdown()


@pytest.mark.parametrize("make", [ConsoleNode, GraspPlanner, SpeechNode])
@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        (Parameter("perception", value="bad name"), "'perception' must be a node's name"),
        (Parameter("perception", Parameter.Type.NOT_SET), "'perception' has no value. Give it a text"),
    ],
)
def test_the_other_nodes_name_what_is_wrong_too(
    make: Callable[..., Node], parameter: Parameter[Any], said: str
) -> None:
    rclpy.init()
    try:
        with pytest.raises(ConfigError, match=said):
            make(parameter_overrides=[parameter])
    finally:
        rclpy.shutdown()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"instruction_burst": 5, "max_instructions_per_s": 0.0}, "'instruction_burst'"),
        ({"image_topics": ["left"], "depth_topics": ["a", "b"]}, "'depth_topics' names 2 topics for 1 cameras"),
        ({"camera_info_topics": ["a", "b"]}, "'camera_info_topics' names 2 topics for 1 cameras"),
        ({"busy_policy": "sometimes"}, "reject, queue, preempt"),
        ({"frame_policy": ""}, "per_turn, pin_first, latest"),
        ({"image_topics": ["a", "a"]}, "each once"),
        ({"max_waiting": 3, "checkpoint": " "}, "'checkpoint' is empty"),
    ],
)
def test_values_that_cannot_hold_together_are_refused_together(
    bench: Bench, change: dict[str, Any], words: str
) -> None:
    before = bench.node.values
    result = bench.node.set_parameters_atomically([Parameter(name, value=value) for name, value in change.items()])
    assert not result.successful
    assert words in result.reason
    assert bench.node.values == before
    with pytest.raises(ConfigError, match=words):
        PerceptionNode(parameter_overrides=[Parameter(name, value=value) for name, value in change.items()])


def test_the_values_are_read_once_and_replaced_when_one_changes(bench: Bench) -> None:
    before = bench.node.values
    assert bench.node.values is before
    assert put(bench, "max_turns", 0)
    assert bench.node.values is before, "a refused value changes nothing"
    assert not put(bench, "max_turns", 3)
    assert (before.max_turns, bench.node.values) == (16, dataclasses.replace(before, max_turns=3))


def test_a_parameter_cannot_be_deleted(bench: Bench) -> None:
    for name in SPECS:
        (result,) = bench.node.set_parameters([Parameter(name)])
        assert not result.successful
    bench.node.values  # noqa: B018 reads them all


def test_fewer_frames_are_kept_at_once_and_more_from_now_on(bench: Bench) -> None:
    bench.activate()
    now_ns = bench.now_ns()
    for number in range(4):
        bench.show(now_ns + number, value=number)
    active = bench.node.active
    assert active is not None
    assert not put(bench, "frame_buffer_size", 2)
    assert len(active.inputs.buffers) == 2
    bench.send("gone", now_ns + 1)
    bench.send("kept", now_ns + 2)
    (gone, _), kept = bench.answers(2)
    assert (gone, kept) == (Segmentation.NO_FRAME, (Segmentation.ANSWERED, "kept 2"))
    assert not put(bench, "frame_buffer_size", 3)
    bench.show(now_ns + 4)
    assert len(active.inputs.buffers) == 3


def test_bounds_of_dialogues_and_caches_hold_at_once_or_are_refused(bench: Bench) -> None:
    bench.activate()
    for name in ("max_turns", "max_sessions", "max_characters", "max_cached_frames", "session_idle_s"):
        value = another(name)
        assert not put(bench, name, value)
        assert bench.echo.bounds[name] == value
    assert "max_new_tokens must be less than 100" in put(bench, "max_new_tokens", 101)
    assert bench.node.values.max_new_tokens == bench.echo.bounds["max_new_tokens"] == 0


def test_fewer_may_wait_from_now_on(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.echo.go.clear()
    bench.send("0", 0)
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    assert not put(bench, "max_waiting", 1)
    for text in ("1", "2"):
        bench.send(text, 0)
    ((status, words),) = bench.answers(1)
    assert (status, "'max_waiting'" in words) == (Segmentation.REJECTED, True)
    assert not put(bench, "max_waiting", 2)
    bench.send("3", 0)
    active = bench.node.active
    assert active is not None
    bench.until(lambda: active.worker.waiting == 2)


def test_frames_are_judged_by_the_age_in_force(bench: Bench) -> None:
    bench.activate()
    now_ns = bench.now_ns()
    bench.show(now_ns)
    bench.send("which", now_ns + S // 2)
    assert bench.answers(1)[0][0] == Segmentation.ANSWERED
    assert not put(bench, "max_frame_age_s", 0.05)
    bench.send("which", now_ns + S // 2)
    status, words = bench.answers(2)[1]
    assert (status, "max_frame_age_s" in words) == (Segmentation.NO_FRAME, True)


def test_frames_from_the_future_are_told_by_the_slop_in_force(bench: Bench) -> None:
    bench.activate()
    active, now_ns = bench.node.active, bench.now_ns()
    assert active is not None
    bench.show(now_ns + 3 * S // 2)
    assert not put(bench, "max_frame_slop_s", 0.05)
    bench.show(now_ns + 8 * S // 5)
    bench.images.publish(Image(header=Header(stamp=conversions.ns_to_stamp(now_ns))))
    newest = partial(active.inputs.buffers.newest, "image", Stream.IMAGE)
    bench.until(lambda: (frame := newest()) is not None and frame.stamp_ns == now_ns)
    assert len(active.inputs.buffers) == 2, "the first one was not yet from the future"


def test_partials_can_be_switched_off_and_on(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    for number, published in enumerate((True, False, True)):
        assert not put(bench, "publish_partials", published)
        bench.explanations.clear()
        bench.segmentations.clear()
        bench.send(f"{number}", 0)
        bench.answers(1)
        assert any(not message.is_final for message in bench.explanations) == published


def test_the_image_subscription_can_be_made_reliable() -> None:
    rclpy.init()
    overrides: dict[str, Any] = {"qos_overrides./image.subscription.reliability": "reliable"}
    bench = Bench(Echo(), **overrides)
    try:
        assert bench.node.autostart()
        (info,) = bench.node.get_subscriptions_info_by_topic("/image")
        assert info.qos_profile.reliability is ReliabilityPolicy.RELIABLE
        best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        assert bench.caller.create_publisher(Image, "image", best_effort).get_subscription_count() == 0
        reliable = bench.caller.create_publisher(Image, "image", 5)
        bench.until(lambda: reliable.get_subscription_count() == 1)
    finally:
        bench.close()
        rclpy.shutdown()


@pytest.mark.parametrize(
    "name",
    [
        "qos_overrides./image.subscription.reliability",
        "qos_overrides./instruction.subscription.durability",
        "qos_overrides./mask.publisher.reliability",
        "qos_overrides./segmentation.publisher.history",
    ],
)
def test_an_impossible_override_keeps_the_node_from_starting_and_is_named(name: str, capfd: Any) -> None:
    rclpy.init()
    overrides: dict[str, Any] = {name: "sometimes"}
    bench = Bench(Echo(), **overrides)
    try:
        assert not bench.node.autostart()
        assert f"parameter '{name}' must be one of" in capfd.readouterr().err
    finally:
        bench.close()
        rclpy.shutdown()


def test_an_override_of_the_diagnostics_is_named_at_once() -> None:
    rclpy.init()
    name = "qos_overrides./diagnostics.publisher.reliability"
    try:
        with pytest.raises(ConfigError, match=name):
            PerceptionNode(parameter_overrides=[Parameter(name, value="sometimes")])
    finally:
        rclpy.shutdown()
