"""What a target is called in messages of other packages."""

import pytest

from pixelrs_ros.geometry.target import Geometry, GeometryStatus
from pixelrs_ros.ros.wire.targets import Target


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("the red mug", "mug"),
        ("the handle of the red mug", "handle of mug"),
        ("its lid", "lid"),
        ("this one", "this one"),
        ("the two green bottles", "two bottles"),
    ],
)
def test_the_class_of_a_target_is_what_its_phrase_names(phrase: str, expected: str) -> None:
    target = Target(phrase, Geometry(GeometryStatus.NOT_MEASURED), "a/0", 0.5, (0, 0, 1, 1))
    assert target.class_name == expected
