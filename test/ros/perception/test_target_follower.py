"""Targets are followed over real topics, between turns, and no longer than they are wanted."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import rclpy
from moving_pictures import Stage, iou, make_stage
from node_bench import DEADLINE_S, Bench, Echo
from pixelrs_ros.msg import Instruction, TrackedSegment, Tracking
from pixelrs_ros.srv import ResetDialogue
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.outputs import Outputs
from pixelrs_ros.ros.perception.target_follower import TargetFollower
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame, BufferedFrame, Stream
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.tracking.tracker import Tracker
from pixelrs_ros.types import Frame, GroundedPhrase, Reply, Segment, Status, Turn, Utterance


class Finder(Echo):
    """Grounds whatever is red, when it is asked to find it."""

    def say(
        self,
        utterance: Utterance,
        frame: Frame,
        on_text: Callable[[str], None] | None = None,
        on_segment: Callable[[Segment], None] | None = None,
        *args: Any,
        **others: Any,
    ) -> Reply:
        if utterance.text != "find":
            return super().say(utterance, frame, on_text, on_segment, *args, **others)
        turns = self.dialogues.setdefault(utterance.session_id, [])
        turns.append(Turn(len(turns), utterance.text, "there", Status.GROUNDED))
        return Reply(
            Status.GROUNDED, "there", segments=(red(frame.image),), phrases=(GroundedPhrase(0, 5, 0),), latency_ms={}
        )


def red(image: np.ndarray) -> Segment:
    """What is red in an (H, W, 3) picture."""
    return Segment("there", image[..., 0] > image[..., 1].astype(int) + 60, 0.9)


def message_of(pixels: np.ndarray, stamp_ns: int) -> Image:
    header = Header(stamp=conversions.ns_to_stamp(stamp_ns), frame_id="camera")
    return conversions.fill_image(Image(), header, pixels, "rgb8")


class Robot(Bench):
    """A bench that hears `tracking` and shows pictures of a stage, each with a stamp of its own."""

    def __init__(self, **overrides: Any) -> None:
        super().__init__(Finder(), tracking_rate_hz=100.0, **overrides)
        self.heard: dict[int, Tracking] = {}
        self.caller.create_subscription(Tracking, "tracking", self._on_tracking, 10)
        self.stamp_ns = self.now_ns()

    def _on_tracking(self, message: Tracking) -> None:
        self.heard[conversions.stamp_to_ns(message.header.stamp)] = message

    def look(self, pixels: np.ndarray) -> int:
        """Show a picture and wait until the node has it; its stamp."""
        assert self.node.active is not None
        before = len(self.node.active.inputs.buffers)
        self.stamp_ns += 1_000_000
        self.images.publish(message_of(pixels, self.stamp_ns))
        cameras = self.node.active.inputs.buffers
        self.until(lambda: len(cameras) > before)
        return self.stamp_ns

    def follow(self, pixels: np.ndarray) -> Tracking:
        """Show a picture and wait for what is said about it."""
        stamp_ns = self.look(pixels)
        self.until(lambda: stamp_ns in self.heard)
        return self.heard[stamp_ns]

    def find(self, turns: int, session_id: str = "kitchen") -> None:
        """Ask to find what is red in the newest picture; `turns` have been answered after that."""
        self.send("find", 0, session_id=session_id)
        assert self.answers(turns)[-1][1] == "there"


@pytest.fixture
def robot() -> Iterator[Robot]:
    rclpy.init()
    robot = Robot()
    robot.activate()
    robot.until(lambda: robot.caller.count_publishers("tracking") == 1)
    yield robot
    robot.close()
    rclpy.shutdown()


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def test_after_a_grounded_turn_every_image_is_answered_with_its_own_header(robot: Robot, stage: Stage) -> None:
    picture, _ = stage.show()
    before = robot.look(picture)
    robot.find(1)
    for step in range(1, 6):
        picture, truth = stage.show(camera_px=(2.0 * step, 1.0 * step))
        message = robot.follow(picture)
        assert (message.header.frame_id, message.session_id, message.turn) == ("camera", "kitchen", 0)
        (target,) = message.segments
        assert (target.state, target.segment, target.phrase) == (TrackedSegment.TRACKED, 0, "there")
        assert target.mask.header == message.header
        mask = conversions.mask_from_image(target.mask)
        assert iou(mask, truth) > 0.8
        rows, columns = np.nonzero(mask)
        box = target.box
        assert (box.x_offset, box.y_offset) == (columns.min(), rows.min())
        assert (box.width, box.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
        assert 0.5 <= target.confidence <= 1.0
    assert before not in robot.heard, "nothing had been grounded yet"


def test_what_is_lost_is_said_with_an_empty_mask(robot: Robot, stage: Stage) -> None:
    picture, _ = stage.show()
    robot.look(picture)
    robot.find(1)
    robot.follow(picture)
    for lost in (np.zeros_like(picture), picture[::2, ::2].copy()):
        (target,) = robot.follow(lost).segments
        assert (target.state, target.confidence < 0.5) == (TrackedSegment.LOST, True)
        assert (target.mask.height, target.mask.width) == lost.shape[:2]
        assert not any(target.mask.data) and target.box.width == target.box.height == 0
    (target,) = robot.follow(picture).segments
    assert target.state == TrackedSegment.TRACKED


def test_images_that_came_while_the_turn_was_answered_are_not_skipped(robot: Robot, stage: Stage) -> None:
    disc = ((130.0, 60.0),)
    first, mask = stage.show(discs=disc)
    robot.look(first)
    robot.echo.go.clear()
    robot.send("wait", 0)  # holds the network up, so that the next turn's image grows old
    robot.until(lambda: robot.echo.begun.acquire(blocking=False))
    robot.send("find", 0, session_id="kitchen")
    assert robot.node.active is not None
    worker = robot.node.active.worker
    robot.until(lambda: worker.waiting == 1)
    for step in range(1, 25):
        robot.look(stage.show(camera_px=(4.0 * step, 0.0), discs=disc)[0])
    robot.echo.go.set()
    robot.answers(2)
    last, truth = stage.show(camera_px=(100.0, 0.0), discs=disc)
    (target,) = robot.follow(last).segments
    assert iou(conversions.mask_from_image(target.mask), truth) > 0.7
    assert not Tracker(first, [mask]).update(last)[0].mask.any(), "it was too far for one look"


def test_words_leave_the_target_and_another_grounded_turn_takes_over(robot: Robot, stage: Stage) -> None:
    picture, _ = stage.show()
    robot.look(picture)
    robot.find(1)
    assert robot.follow(picture).turn == 0
    robot.send("hello", 0, session_id="kitchen")
    robot.answers(2)
    assert robot.follow(picture).turn == 0
    robot.find(3)
    message = robot.follow(picture)
    assert (message.session_id, message.turn) == ("kitchen", 2)
    robot.find(4, session_id="garage")
    assert robot.follow(picture).session_id == "garage"


@pytest.mark.parametrize("how", ["reset", "parameter", "deactivate"])
def test_following_ends_when_nobody_wants_it(robot: Robot, stage: Stage, how: str) -> None:
    picture, _ = stage.show()
    robot.look(picture)
    robot.find(1)
    robot.follow(picture)
    if how == "reset":
        robot.call(ResetDialogue, "perception/reset_dialogue", session_id="kitchen")
    elif how == "parameter":
        robot.node.set_parameters([Parameter("track_targets", value=False)])
    else:
        inputs = (robot.images, robot.instructions)
        robot.node.trigger_deactivate()
        robot.until(lambda: [publisher.get_subscription_count() for publisher in inputs] == [0, 0])
        robot.node.trigger_activate()
        robot.until(lambda: [publisher.get_subscription_count() for publisher in inputs] == [1, 1])
    ended_ns = robot.stamp_ns
    for _ in range(3):
        robot.look(picture)
    robot.send("hello", 0)  # whatever was on its way has come when this is answered
    robot.answers(2)
    assert max(robot.heard) <= ended_ns


def test_an_image_that_waits_is_replaced_by_a_newer_one(stage: Stage) -> None:
    picture, _ = stage.show()
    values = SimpleNamespace(frame_buffer_size=30, track_targets=True, mask_encoding="full", tracking_rate_hz=120.0)
    sent: list[Tracking] = []
    working, go = threading.Semaphore(0), threading.Semaphore(0)

    def send(publisher: object, message: Tracking) -> None:
        assert publisher == "tracking"
        sent.append(message)
        working.release()
        assert go.acquire(timeout=DEADLINE_S)

    outputs = cast(Outputs, SimpleNamespace(send=send, tracking="tracking"))
    follower = TargetFollower(
        outputs, cast(RcutilsLogger, None), lambda: cast(NodeParameters, values), is_busy=lambda: False
    )
    frames = [BufferedFrame(message_of(picture, stamp), stamp, None, "camera") for stamp in range(1, 8)]
    follower.on_frame("camera", Stream.IMAGE, frames[0])
    request = TurnRequest(Instruction(session_id="kitchen"), 0, bound=BoundFrame(frames[0]))
    follower.begin(request, 3, Frame(picture), Reply(Status.GROUNDED, "", segments=(red(picture),)))
    follower.on_frame("camera", Stream.IMAGE, frames[1])
    assert working.acquire(timeout=DEADLINE_S)
    for frame in frames[2:6]:  # while the second one is being published
        follower.on_frame("camera", Stream.IMAGE, frame)
    follower.on_frame("another camera", Stream.IMAGE, frames[6])
    go.release()
    assert working.acquire(timeout=DEADLINE_S)
    go.release()
    follower.close()
    assert [conversions.stamp_to_ns(message.header.stamp) for message in sent] == [2, 6]
    assert [pair.value for pair in follower.status("robot").values] == ["2", "3"]
    assert not any(thread.name == "pixelrs_tracking" for thread in threading.enumerate())
