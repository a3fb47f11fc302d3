"""What the operator plays and the planner scores: seeded scenes, dialogues, the truth. Imports no ROS."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce

import numpy as np

from pixelrs_ros.sim.picture.elements import Element, elements
from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.scene.scene import Scene, move_camera, sample_scene
from pixelrs_ros.sim.talk.compose import Composer
from pixelrs_ros.sim.talk.turns import DialogueTurn, Target
from pixelrs_ros.sim.talk.voices import Speaker

# Far from the seeds that the network learned from.
FIRST_SCENE_SEED = 910_000
LENGTHS = (1, 3, 2, 4)  # turns of the dialogues, over and over; those of one turn are plain orders
MOVES = 1  # in this dialogue the camera moves before the last turn
_MIN_TARGET_PX = 300
_DIALOGUES_A_SCENE = 24
_CAMERAS_TRIED = 5


@dataclass(frozen=True)
class PlayedTurn:
    """One turn as the operator plays it and announces it to the planner.

    Attributes:
        session_id: The dialogue.
        turn: Index within it.
        scene_seed: Seed of the scene that the camera sees.
        camera_seed: Seed of the camera's place; 0 for the scene's own place.
        text: What the user says.
        targets: What the answer should segment; empty when it should not segment anything.
        labels: The targets in words, one each.
        stamp_ns: The instruction's stamp, nanoseconds; 0 until it has been sent.
    """

    session_id: str
    turn: int
    scene_seed: int
    camera_seed: int
    text: str
    targets: tuple[Target, ...]
    labels: tuple[str, ...]
    stamp_ns: int = 0

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PlayedTurn:
        """The turn that `to_json` wrote."""
        values = json.loads(text)
        values["targets"] = tuple(Target(**target) for target in values["targets"])
        values["labels"] = tuple(values["labels"])
        return cls(**values)

    @property
    def target(self) -> str | None:
        """The targets in words; None when there is none."""
        return " and ".join(self.labels) or None


def render_view(renderer: Renderer, scene_seed: int, camera_seed: int) -> View:
    """The view of a scene: see `scene_of`."""
    return renderer.render(scene_of(scene_seed, camera_seed), depth=True)


def scene_of(scene_seed: int, camera_seed: int) -> Scene:
    """A scene with its own camera, or, with `camera_seed` above 0, with one in another place."""
    scene = sample_scene(scene_seed)
    return move_camera(scene, camera_seed) if camera_seed else scene


def truth(view: View, turn: PlayedTurn) -> np.ndarray | None:
    """(H, W) bool: what the answer should segment; None when it should not segment anything."""
    if not turn.targets:
        return None
    return reduce(np.logical_or, (view.mask(target.object_id, target.part) for target in turn.targets))


def write_script(renderer: Renderer, count: int, first_scene_seed: int = FIRST_SCENE_SEED) -> list[list[PlayedTurn]]:
    """Choose dialogues of one to four turns that end on something to be shown, in voices that training never heard.

    The first that fits is taken, scene after scene, whatever the network makes of it. In the second dialogue the
    camera moves before the last turn.

    Args:
        renderer: Draws the scenes.
        count: Number of dialogues, each in a scene of its own.
        first_scene_seed: Where the search begins.
    """
    scripts: list[list[PlayedTurn]] = []
    for scene_seed in _seeds(first_scene_seed):
        if len(scripts) == count:
            break
        view = render_view(renderer, scene_seed, 0)
        dialogue = _ending_on_target(view, LENGTHS[len(scripts) % len(LENGTHS)], random.Random(scene_seed))
        if dialogue is None:
            continue
        turns = _play(dialogue, view, f"dialogue_{len(scripts) + 1}", scene_seed)
        if len(scripts) == MOVES:
            camera_seed = _other_camera(renderer, scene_seed, dialogue[-1].targets[0])
            if not camera_seed:
                continue
            turns[-1] = replace(turns[-1], camera_seed=camera_seed)
        scripts.append(turns)
    return scripts


def write_scene_script(renderer: Renderer, count: int, scene_seed: int) -> list[list[PlayedTurn]]:
    """The same, all about one scene from its own camera; fewer where not much can be said about it.

    Args:
        renderer: Draws the scene.
        count: Number of dialogues.
        scene_seed: Of the scene.
    """
    view = render_view(renderer, scene_seed, 0)
    scripts: list[list[PlayedTurn]] = []
    for number in range(count):
        dialogue = _ending_on_target(view, LENGTHS[number % len(LENGTHS)], random.Random(f"{scene_seed}, {number}"))
        if dialogue is not None:
            scripts.append(_play(dialogue, view, f"dialogue_{len(scripts) + 1}", scene_seed))
    return scripts


def _seeds(first: int) -> Iterator[int]:
    seed = first
    while True:
        yield seed
        seed += 1


def _ending_on_target(view: View, length: int, rng: random.Random) -> list[DialogueTurn] | None:
    things = elements(view)
    for _ in range(_DIALOGUES_A_SCENE if len(things) > 1 else 0):
        composer = Composer(things, Speaker("test", rng), rng)
        if length == 1:
            composer.take("order")
        turns = composer.converse(length)
        last = turns[-1] if len(turns) == length else None
        if last is not None and len(last.targets) == 1 and _shows(view, last.targets[0]):
            return turns
    return None


def _shows(view: View, target: Target) -> bool:
    return bool(view.mask(target.object_id, target.part).sum() >= _MIN_TARGET_PX)


def _other_camera(renderer: Renderer, scene_seed: int, target: Target) -> int:
    """Seed of a camera that still sees the target, 0 when none was found."""
    for camera_seed in range(1, _CAMERAS_TRIED + 1):
        if _shows(render_view(renderer, scene_seed, camera_seed), target):
            return camera_seed
    return 0


def _play(dialogue: Sequence[DialogueTurn], view: View, session_id: str, scene_seed: int) -> list[PlayedTurn]:
    named = {element.object_id: element for element in elements(view)}

    def label(target: Target) -> str:
        element = named[target.object_id]
        return element.part_label(target.part) if target.part else element.label

    return [
        PlayedTurn(
            session_id=session_id,
            turn=index,
            scene_seed=scene_seed,
            camera_seed=0,
            text=turn.user,
            targets=turn.targets,
            labels=tuple(label(target) for target in turn.targets),
        )
        for index, turn in enumerate(dialogue)
    ]


def suggestions(view: View) -> tuple[str, ...]:
    """What may be said about a scene in one conversation, each line true to it."""
    things = elements(view)
    names = [thing.name for thing in things]
    single = [thing for thing in things if names.count(thing.name) == 1]
    if not single:
        return ("What is on the table?",)
    with_parts = [thing for thing in single if set(thing.parts) - {"body"}]
    first = max(with_parts or single, key=lambda thing: thing.area_px)
    part = next((part for part in reversed(tuple(first.parts)) if part != "body"), None)
    said = [f"Give me the {first.name}."]
    if part:
        said.append(f"Where is its {part}?")
    rest = [thing for thing in single if thing != first]
    if rest:
        said.append(f"And now the {_least_named(rest, things)}.")
    return (*said, "What is on the table?")


def _least_named(some: Sequence[Element], things: Sequence[Element]) -> str:
    """The kind of the largest of some things where only one is of it, else its color too."""
    thing = max(some, key=lambda one: one.area_px)
    alone = sum(other.kind == thing.kind for other in things) == 1
    return thing.kind if alone else thing.name
