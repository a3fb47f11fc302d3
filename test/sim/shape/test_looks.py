"""Prints leave a thing its color, grains leave any color what it is, and handles may be of another material."""

import numpy as np
import pytest

from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import build_object
from pixelrs_ros.sim.shape.looks import TRIMMED, WOOD_COLORS, sample_trim
from pixelrs_ros.sim.shape.patterns import FACE_PX, GRAINS, INKED, WOODS, cube_textures, inked
from pixelrs_ros.sim.shape.shapes import COLORS, jittered


def test_every_pattern_leaves_two_thirds_of_its_color() -> None:
    for color, rgb in COLORS.items():
        for name in INKED:
            texture = cube_textures()[inked(color, name)]
            assert texture.shape == (6 * FACE_PX, FACE_PX, 3) and texture.dtype == np.uint8
            changed = np.abs(texture / 255.0 - rgb).max(axis=-1)
            assert (changed < 0.3).mean() >= 0.6, (color, name)


def test_grains_are_gray_and_light_and_patterns_are_not_all_alike() -> None:
    for name in GRAINS:
        texture = cube_textures()[name]
        assert (texture == texture[..., :1]).all() and texture.mean() > 150, name
    pictures = {texture.tobytes() for texture in cube_textures().values()}
    assert len(pictures) == len(cube_textures()) == len(WOODS) + len(GRAINS) + len(COLORS) * len(INKED)


@pytest.mark.parametrize("color", list(COLORS))
def test_a_jittered_color_is_nearest_to_its_own_name(color: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        shade = np.array(jittered(COLORS[color], rng))
        assert ((shade >= 0) & (shade <= 1)).all()
        away = {name: float(np.linalg.norm(shade - rgb)) for name, rgb in COLORS.items()}
        assert min(away, key=lambda name: away[name]) == color


def test_only_what_is_mounted_is_of_another_material() -> None:
    rng = np.random.default_rng(0)
    for kind in KINDS:
        trims = [sample_trim(kind, "red", rng) for _ in range(200)]
        share = sum(trim is not None for trim in trims) / 200
        assert 0.2 < share < 0.5 if kind in TRIMMED else share == 0
    wooden = 0
    for seed in range(60):
        _, geoms = build_object(KINDS["mug"], "red", 0.1, np.random.default_rng(seed))
        wood = {geom.part for geom in geoms if geom.texture in WOODS}
        assert wood <= {KINDS["mug"].parts.index("handle"), 0} and all(g.texture for g in geoms if g.rgb in WOOD_COLORS)
        wooden += bool(wood)
    assert wooden > 2
