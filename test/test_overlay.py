import numpy as np
import pytest

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.overlay import COLORS, color_of, paint


def test_inside_is_mixed_with_the_color_and_outside_is_untouched() -> None:
    image = np.full((20, 30, 3), 100, np.uint8)
    mask = np.zeros((20, 30), bool)
    mask[4:16, 5:25] = True
    painted = paint(image, [mask], colors=[(200, 0, 50)], opacity=0.5)
    assert painted.shape == image.shape and painted.dtype == np.uint8
    assert tuple(painted[10, 15]) == (150, 50, 75)
    assert (image == 100).all()
    assert (painted[0] == 100).all() and (painted[19] == 100).all()
    assert tuple(painted[4, 10]) == (120, 0, 30)  # the outline: the color at 0.6


def test_colors_are_distinct_and_start_again() -> None:
    assert len(set(COLORS)) == len(COLORS) >= 6
    assert color_of(len(COLORS)) == color_of(0)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(BadInputError, match="mask 0 must be bool"):
        paint(np.zeros((8, 8, 3), np.uint8), [np.zeros((8, 9), bool)])
    with pytest.raises(BadInputError, match="image must be"):
        paint(np.zeros((8, 8), np.uint8), [])
