"""From sound to mask over DDS: what was said about a rendered scene ends as the mask of the thing that was meant."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from pixelrs_ros.msg import AudioChunk, Explanation, Segmentation
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from sounds import NS_PER_S, needs_espeak, pause, pcm, pieces, said
from spinning import spinning

from pixelrs_ros.client import mask_of
from pixelrs_ros.ros.demo.script import render_view
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.speech.node import SpeechNode
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.sim.picture.render import Renderer, View

DEADLINE_S = 60.0
SCENE_SEED = 910_000  # of the demo's, never trained on


@pytest.fixture(scope="module")
def view() -> View:
    with Renderer() as renderer:
        return render_view(renderer, SCENE_SEED, 0)


@pytest.fixture
def nodes(shipped: str) -> Iterator[list[Node]]:
    rclpy.init()
    values = {"checkpoint": shipped, "num_threads": 1, "store_dialogues": False, "max_frame_age_s": 30.0}
    perception = PerceptionNode(parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])
    made = [perception, SpeechNode(), Node("person")]
    executor = MultiThreadedExecutor(2)
    for node in made:
        executor.add_node(node)
    with spinning(executor):
        assert perception.autostart()
        yield made
    for node in made:
        node.destroy_node()
    rclpy.shutdown()


@needs_espeak
def test_what_is_said_is_shown_on_the_picture_of_the_moment_in_which_it_began(nodes: list[Node], view: View) -> None:
    person = nodes[-1]
    ended, segmentations = threading.Event(), list[Segmentation]()
    person.create_subscription(Segmentation, "segmentation", segmentations.append, 10)

    def take(words: Explanation) -> None:
        if words.is_final:
            ended.set()

    person.create_subscription(Explanation, "explanation", take, 10)
    audio = person.create_publisher(AudioChunk, "audio", 1000)
    images = person.create_publisher(Image, "image", qos_profile_sensor_data)
    ready = threading.Event()

    def look() -> None:
        if _is_ready(person, audio, images):
            ready.set()

    person.create_timer(0.05, look)
    assert ready.wait(DEADLINE_S)
    start_ns = int(person.get_clock().now().nanoseconds)
    words = said("Give me the red mug.")
    began_ns = start_ns + NS_PER_S // 2
    shown_ns = began_ns - NS_PER_S // 10
    for stamp_ns, pixels in ((shown_ns, view.image), (began_ns + NS_PER_S, np.zeros_like(view.image))):
        picture = conversions.fill_image(Image(), Image().header, pixels, "rgb8")
        picture.header.stamp = conversions.ns_to_stamp(stamp_ns)
        images.publish(picture)
    for piece, stamp_ns in pieces(np.concatenate((pause(0.5), words, pause(1.0))), start_ns):
        message = AudioChunk(sample_rate=16_000, channels=1, data=array("h", pcm(piece)))
        message.header.stamp = conversions.ns_to_stamp(stamp_ns)
        audio.publish(message)
    assert ended.wait(DEADLINE_S)
    (segmentation,) = segmentations
    assert segmentation.status == Segmentation.GROUNDED, segmentation.message
    assert conversions.stamp_to_ns(segmentation.header.stamp) == shown_ns, "it is dark by the time he has finished"
    assert abs(conversions.stamp_to_ns(segmentation.instruction_stamp) - began_ns) < 0.15 * NS_PER_S
    (mug,) = [thing for thing in view.objects if (thing.color, thing.kind) == ("red", "mug")]
    found, meant = mask_of(segmentation.segments[0]), view.mask(mug.object_id, None)
    assert np.count_nonzero(found & meant) > 0.8 * np.count_nonzero(found | meant)


def _is_ready(person: Node, *publishers: object) -> bool:
    topics = [publisher.get_subscription_count() for publisher in publishers]  # type: ignore[attr-defined]
    return all(topics) and all(map(person.count_publishers, ("segmentation", "explanation", "instruction")))
