"""Quality of service from parameters: overrides take effect, impossible ones are named."""

from collections.abc import Iterator

import pytest
import rclpy
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, HistoryPolicy, ReliabilityPolicy
from std_msgs.msg import String

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.wire import qos

IMAGE = "qos_overrides./robot/image.subscription"
MASK = "qos_overrides./robot/mask.publisher"


@pytest.fixture
def context() -> Iterator[None]:
    rclpy.init()
    yield
    rclpy.shutdown()


def make(**overrides: object) -> LifecycleNode:
    parameters = [Parameter(name, value=value) for name, value in overrides.items()]
    return LifecycleNode("perception", namespace="robot", parameter_overrides=parameters)


@pytest.mark.usefixtures("context")
def test_profiles_without_parameters_stay_as_they_are() -> None:
    node = make(**{f"{IMAGE}.reliability": "reliable"})
    overridden = qos.subscribe(node, String, "image", lambda _: None, qos.SENSOR_DATA)
    other = qos.subscribe(node, String, "other", lambda _: None, qos.SENSOR_DATA)
    assert overridden.qos_profile.reliability is ReliabilityPolicy.RELIABLE
    assert other.qos_profile.reliability is ReliabilityPolicy.BEST_EFFORT
    assert overridden.qos_profile.depth == other.qos_profile.depth == qos.SENSOR_DATA.depth
    assert qos.SENSOR_DATA.reliability is ReliabilityPolicy.BEST_EFFORT
    node.destroy_node()


@pytest.mark.usefixtures("context")
def test_every_policy_of_every_kind_of_entity_can_be_overridden() -> None:
    values = {"reliability": "best_effort", "durability": "transient_local", "history": "keep_last", "depth": 3}
    names = {f"{prefix}.{policy}": value for prefix in (IMAGE, MASK) for policy, value in values.items()}
    for advertise in (qos.advertise, qos.advertise_managed):
        node = make(**names)
        for entity in (qos.subscribe(node, String, "image", lambda _: None), advertise(node, String, "mask")):
            profile = entity.qos_profile
            assert profile.reliability is ReliabilityPolicy.BEST_EFFORT
            assert profile.durability is DurabilityPolicy.TRANSIENT_LOCAL
            assert (profile.history, profile.depth) == (HistoryPolicy.KEEP_LAST, 3)
        # Making it again, as when the node is configured again, reads the same parameters.
        assert qos.subscribe(node, String, "image", lambda _: None).qos_profile.depth == 3
        (result,) = node.set_parameters([Parameter(f"{IMAGE}.depth", value=4)])
        assert not result.successful and "read-only" in result.reason
        node.destroy_node()


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("policy", "value", "words"),
    [
        ("reliability", "sometimes", "reliable, best_effort"),
        ("reliability", "unknown", "reliable, best_effort"),
        ("durability", "", "transient_local, volatile"),
        ("history", "keep_some", "keep_last, keep_all"),
        ("depth", 0, "from 1 to 10000"),
        ("depth", -5, "from 1 to 10000"),
        ("depth", "many", "depth"),
        ("reliability", 3, "reliability"),
    ],
)
def test_an_impossible_override_is_named_with_what_is_accepted(policy: str, value: object, words: str) -> None:
    node = make(**{f"{IMAGE}.{policy}": value, f"{MASK}.{policy}": value})
    with pytest.raises(ConfigError, match=words) as error:
        qos.subscribe(node, String, "image", lambda _: None, qos.SENSOR_DATA)
    assert f"{IMAGE}.{policy}" in str(error.value)
    for advertise in (qos.advertise, qos.advertise_managed):
        with pytest.raises(ConfigError, match=words) as error:
            advertise(node, String, "mask")
        assert f"{MASK}.{policy}" in str(error.value)
    node.destroy_node()
