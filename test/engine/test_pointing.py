"""A click on the picture, with the shipped network on the simulator's pictures: it means what is there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.evaluation.space import true_masks
from pixelrs_ros.images import encoder_images, spot, tokens_of
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.scene.scene import sample_scene
from pixelrs_ros.types import POINTING, Frame, Point, Status, Utterance

SEEDS = (3, 4, 5)


@dataclass
class Thing:
    """An object of a picture."""

    kind: str
    mask: np.ndarray

    @property
    def point(self) -> Point:
        """The pixel that lies deepest inside."""
        depth = cv2.distanceTransform(self.mask.astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        return float(x), float(y)


@dataclass
class Table:
    """A picture and what it shows."""

    image: np.ndarray
    things: list[Thing]

    @property
    def bare(self) -> Point:
        """The pixel farthest from every object, not at the picture's edge."""
        free = ~np.logical_or.reduce([thing.mask for thing in self.things])
        depth = cv2.distanceTransform(np.pad(free, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        return float(x), float(y)


@pytest.fixture(scope="module")
def tables() -> list[Table]:
    found = []
    with Renderer() as renderer:
        for seed in SEEDS:
            scene = sample_scene(seed)
            view = renderer.render(scene, depth=True)
            kinds = {thing.object_id: thing.kind for thing in scene.objects}
            whole = [(target, mask) for target, mask in true_masks(scene, view) if target.part is None]
            found.append(Table(view.image, [Thing(kinds[target.object_id], mask) for target, mask in whole]))
    return found


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    yield Engine.from_checkpoint("nano", num_threads=1)


def test_it_means_what_lies_there_whatever_else_the_picture_shows(engine: Engine, tables: list[Table]) -> None:
    overlaps = []
    for table in tables:
        seen = engine.encode(table.image)
        for thing in table.things:
            reply = engine.answer(seen, (), POINTING, point=thing.point)
            overlaps.append(iou(reply.union_mask(*thing.mask.shape), thing.mask))
            assert engine.answer(seen, (), POINTING).status is not Status.GROUNDED, "the words alone do not say which"
    assert len(overlaps) >= 10 and np.mean(np.array(overlaps) > 0.5) >= 0.8


def test_where_nothing_lies_nothing_is_shown(engine: Engine, tables: list[Table]) -> None:
    for table in tables:
        reply = engine.answer(engine.encode(table.image), (), POINTING, point=table.bare)
        assert reply.status is Status.NOT_FOUND and reply.text and not reply.segments


def test_words_that_name_something_else_are_not_overruled(engine: Engine, tables: list[Table]) -> None:
    refused = []
    for table in tables:
        seen = engine.encode(table.image)
        for thing in table.things:
            other = next(each.kind for each in table.things if each.kind != thing.kind)
            reply = engine.answer(seen, (), f"give me this {other}", point=thing.point)
            refused.append(reply.status is not Status.GROUNDED)
    assert np.mean(refused) >= 0.8


def test_a_dialogue_goes_on_about_it_and_over_the_whole_picture(engine: Engine, tables: list[Table]) -> None:
    table, session = tables[0], Session(engine)
    thing = max(table.things, key=lambda each: int(each.mask.sum()))
    first = session.say(Utterance("Give me this.", point=thing.point), Frame(table.image))
    assert first.status is Status.GROUNDED
    assert [turn.point for turn in session.turns("default")] == [thing.point]
    again = session.say(Utterance("I want it."), Frame(table.image))
    alone = engine.answer(engine.encode(table.image), session.turns("default")[:1], "I want it.")
    assert (again.answer, again.status) == (alone.answer, alone.status), "what was hidden is not remembered as hidden"
    assert again.segments[0].phrase == first.segments[0].phrase


@pytest.mark.parametrize("point", [(-1, 3), (3, -1), (640, 3), (3, 480), (float("nan"), 3), (float("inf"), 3)])
def test_a_place_beside_the_picture_is_refused_and_changes_nothing(engine: Engine, point: Point) -> None:
    session = Session(engine)
    frame = Frame(np.zeros((480, 640, 3), np.uint8))
    for say in (session.say, session.ask):
        with pytest.raises(BadInputError, match="outside of the image of 640x480 px"):
            say(Utterance(POINTING, point=point), frame)
    assert session.turns("default") == ()


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(60, 300), width=st.integers(60, 300), across=st.floats(0, 0.999), down=st.floats(0, 0.999),
    framing=st.sampled_from(["pad", "stretch"]),
)  # fmt: skip
def test_the_tokens_that_are_looked_at_lie_where_the_picture_is_shown(
    debug_config: MirasConfig, height: int, width: int, across: float, down: float, framing: str
) -> None:
    config = dataclasses.replace(debug_config, framing=framing, detail=False)
    point = (across * width, down * height)
    seen = tokens_of(spot(point, (height, width), config), config).reshape(config.clip.grid_size, -1)
    marked = np.zeros((height, width, 3), np.uint8)
    marked[int(point[1]), int(point[0])] = 255
    shown = encoder_images(marked, config).clip[..., 0]
    y, x = np.unravel_index(shown.argmax(), shown.shape)
    side = config.clip.patch_size_px
    near = seen[max(0, y // side - 1) : y // side + 2, max(0, x // side - 1) : x // side + 2]
    assert near.any() and int(seen.sum()) == int(near.sum()) <= 9
