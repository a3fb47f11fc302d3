"""Simulated scenes to train on, as arrays: pictures, what every pixel shows, and rows of conversations.

Drawn by several processes into shards; a run that is started again skips those that are there. Training may begin while
the rest is still being drawn.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.errors import DataError
from pixelrs_ros.images import resized_shape
from pixelrs_ros.sim.picture.elements import Element, elements, well_posed
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.talk import replies
from pixelrs_ros.sim.talk.compose import conversations
from pixelrs_ros.sim.talk.turns import DialogueTurn, Target
from pixelrs_ros.sim.walk.dialogues import sample_dialogues
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.simulated.concepts import COLOR_NAMES, KIND_NAMES, PART_NAMES
from pixelrs_ros.training.simulated.packing import FIELDS, MAX_OBJECTS, encode_talk, pack_rows
from pixelrs_ros.workers import Workers, spread

if TYPE_CHECKING:
    from pixelrs_ros.sim.picture.render import Renderer, View

SHARD = 128  # scenes of one file
ROWS = 3  # of conversations about each scene
_TALKS = 9 * ROWS  # conversations that surely fill them
SHAPES = ((640, 480), (640, 360), (480, 480), (480, 640))  # width and height of the pictures, in px
_SHAPE_RATES = (0.7, 0.12, 0.1, 0.08)
_FIRST_SEED = {"train": 2_000_000_000, "val": 3_000_000_000}  # far from those of tests and demonstrations
_TALK_STREAM, _SHAPE_STREAM, _WALK_STREAM = 1, 4, 5


@dataclass(frozen=True)
class BankConfig:
    """What a shard depends on.

    Attributes:
        split: "train" or "val": which seeds and whose voices.
        seed: Seeds every random choice.
        side_px: Side of the square that pictures are padded to.
        users_from: The first token id of a user's word piece.
        walks: Share of the conversations that are walks to one thing, in [0, 1], where no two things look alike.
    """

    split: Literal["train", "val"]
    seed: int
    side_px: int
    users_from: int
    walks: float = 0.0


def fields(side_px: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """Shape and type of what is kept of each scene: its picture and maps, and `ROWS` rows of conversations."""
    square = (side_px, side_px)
    return {
        "image": ((*square, 3), np.uint8),  # padded with zeros at the bottom and right
        "size": ((2,), np.int16),  # height and width of the picture in it
        "objects": (square, np.uint8),  # which object each pixel shows, 0 for the background
        "parts": (square, np.uint8),  # which part, 0 for none
        "kinds": ((MAX_OBJECTS + 1,), np.uint8),  # of each object
        "colors": ((MAX_OBJECTS + 1,), np.uint8),
        **{name: ((ROWS, *shape), dtype) for name, (shape, dtype) in FIELDS.items()},
    }


def shard_path(folder: Path, split: str, index: int) -> Path:
    """Where a shard is; it appears whole."""
    return folder / split / f"{index:05d}.npz"


@cache
def _renderer(width_px: int, height_px: int) -> Renderer:
    """One for every shape and process: it takes a second to start."""
    from pixelrs_ros.sim.picture.render import Renderer

    cv2.setNumThreads(1)
    return Renderer(width_px, height_px)


def draw_shard(path: Path, index: int, count: int, config: BankConfig, layout: ChatLayout) -> None:
    """Draws the `count` scenes of one shard."""
    from pixelrs_ros.sim.scene.scene import sample_scene

    chance = np.random.default_rng([config.seed, _FIRST_SEED[config.split], index])
    width, height = SHAPES[int(chance.choice(len(SHAPES), p=_SHAPE_RATES))]
    made: dict[str, list[np.ndarray]] = {name: [] for name in fields(config.side_px)}
    first = _FIRST_SEED[config.split] + (config.seed * 1_000_000 + index) * 4 * SHARD
    renderer = _renderer(width, height)
    for seed in range(first, first + 4 * SHARD):
        if len(made["image"]) == count:
            break
        view = renderer.render(sample_scene(seed, width_px=width, height_px=height))
        things = elements(view)
        if len(things) < 2 or not well_posed(view):
            continue
        talks = told(things, seed, width, config)
        scene = {
            **maps_of(view, config.side_px),
            **pack_rows((encode_talk(talk, layout) for talk in talks), ROWS, config.users_from),
        }
        for name, value in scene.items():
            made[name].append(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".partial.npz")
    stacked: dict[str, Any] = {name: np.stack(values) for name, values in made.items()}
    np.savez(unfinished, **stacked)
    unfinished.replace(path)


def told(things: Sequence[Element], seed: int, width_px: int, config: BankConfig) -> Iterator[Sequence[DialogueTurn]]:
    """Conversations about one picture.

    Args:
        things: What is visible in it.
        seed: The scene's.
        width_px: The picture's width.
        config: Whose voices, and how many of them are walks; a walk's answers are worded as a composed one's.
    """
    rng = np.random.default_rng([seed, _WALK_STREAM])
    is_walk = rng.random(_TALKS) < (0.0 if any(thing.twin > 1 for thing in things) else config.walks)
    walks = (
        [retold(turn, things) for turn in walk.turns]
        for walk in sample_dialogues(things, rng, count=int(is_walk.sum()), split=config.split)
    )
    talks = conversations(
        things, np.random.default_rng([seed, _TALK_STREAM]), count=_TALKS, split=config.split, width_px=width_px
    )
    for talk, walked in zip(talks, is_walk, strict=False):
        yield next(walks, talk) if walked else talk


def retold(turn: DialogueTurn, things: Sequence[Element]) -> DialogueTurn:
    """A turn of a walk with the answer of a composed conversation, so that the network learns one way to answer."""
    by_id = {thing.object_id: thing for thing in things}
    if turn.targets:
        part = turn.targets[0].part
        shown = replies.from_left([by_id[target.object_id] for target in turn.targets])
        answer = replies.grounded(shown, part, random.Random(turn.user), sorry=turn.kind == "correction")
        return replace(turn, answer=answer, targets=tuple(Target(thing.object_id, part) for thing in shown))
    if turn.candidates:
        return replace(turn, answer=replies.which_one(None, [by_id[one] for one in turn.candidates]))
    return turn


def maps_of(view: View, side_px: int) -> dict[str, np.ndarray]:
    """The fields of a picture, see `fields`: image and maps at most `side_px` wide and high, padded with zeros."""
    image, ids, parts = view.image, view.object_ids, view.part_ids
    height, width = resized_shape(image.shape[0], image.shape[1], side_px)
    kinds, colors = np.zeros(MAX_OBJECTS + 1, np.uint8), np.zeros(MAX_OBJECTS + 1, np.uint8)
    names = np.zeros((MAX_OBJECTS + 1, 9), np.uint8)  # of a kind's parts among all parts
    for thing in view.objects:
        kinds[thing.object_id] = 1 + KIND_NAMES.index(thing.kind)
        colors[thing.object_id] = 1 + COLOR_NAMES.index(thing.color)
        own = KINDS[thing.kind].parts
        names[thing.object_id, 1 : 1 + len(own)] = [1 + PART_NAMES.index(part) for part in own]
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    nearest = (cv2.resize(x, (width, height), interpolation=cv2.INTER_NEAREST) for x in (ids, names[ids, parts]))
    square = np.zeros((side_px, side_px, 3), np.uint8)
    square[:height, :width] = small
    maps = []
    for one in nearest:
        maps.append(np.zeros((side_px, side_px), np.uint8))
        maps[-1][:height, :width] = one
    return {
        "image": square, "size": np.array((height, width), np.int16), "objects": maps[0], "parts": maps[1],
        "kinds": kinds, "colors": colors,
    }  # fmt: skip


def _draw(one: tuple[int, int, BankConfig], *, folder: Path, tokenizer: str, sizes: MirasConfig) -> None:
    index, count, config = one
    path = shard_path(folder, config.split, index)
    if not path.exists():
        draw_shard(path, index, count, config, make_layout(Tokenizer.from_str(tokenizer), sizes))


def make_layout(tokenizer: Tokenizer, config: MirasConfig) -> ChatLayout:
    """The chat layout of a network."""
    return ChatLayout(tokenizer, config.clip.num_patches, config.text, config.reader)


def draw_bank(
    folder: Path,
    scenes: dict[Literal["train", "val"], int],
    seed: int,
    tokenizer: Tokenizer,
    preset: str,
    sizes: MirasConfig,
    workers: int,
    walks: float = 0.0,
) -> None:
    """Draws what is still missing.

    Args:
        folder: The bank's folder.
        scenes: How many of each split, "val" and "train".
        seed: Seeds every random choice.
        tokenizer: The one of the network that will be trained.
        preset: Its configuration's name.
        sizes: Its configuration.
        workers: Processes.
        walks: See `BankConfig`.

    Raises:
        DataError: The folder was drawn for something else.
        PixelrsError: A process died.
    """
    todo: list[tuple[int, int, BankConfig]] = []
    for split, count in scenes.items():
        bank = BankConfig(split, seed, sizes.sam.image_size_px, make_layout(tokenizer, sizes).vocab_size, walks)
        _mark(folder / split, json.dumps({**vars(bank), "preset": preset}))
        shards = range(-(-count // SHARD))
        missing = [index for index in shards if not shard_path(folder, split, index).exists()]
        todo += [(index, min(SHARD, count - index * SHARD), bank) for index in missing]
    if not todo:
        return
    draw = partial(_draw, folder=folder, tokenizer=tokenizer.to_str(), sizes=sizes)
    if workers == 1:
        for one in track(todo, "Drawing", console=Console(stderr=True)):
            draw(one)
        return
    for _ in track(spread(draw, todo, Workers(workers)), "Drawing", len(todo), console=Console(stderr=True)):
        pass


def _mark(folder: Path, words: str) -> None:
    """Say what a split is drawn for."""
    marker = folder / "bank.json"
    if marker.exists() and marker.read_text(encoding="utf-8") != words:
        raise DataError(f"{folder} was drawn for another seed or network; remedy: another folder, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(words, encoding="utf-8")


class Bank:
    """The shards of a split that are there, on one device.

    Args:
        folder: The bank's folder.
        split: "train" or "val".
        device: Where batches are wanted.
        side_px: Side of the pictures' square.
        most: Scenes that are kept.
        names: Which fields; None for all.

    Raises:
        DataError: There is no shard.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        device: torch.device,
        side_px: int,
        most: int,
        names: tuple[str, ...] | None = None,
    ) -> None:
        self._folder, self._split = folder, split
        layout = fields(side_px)
        capacity = -(-most // SHARD) * SHARD
        self._data: dict[str, torch.Tensor] = {}
        for name in names or tuple(layout):
            shape, dtype = layout[name]
            self._data[name] = torch.empty((capacity, *shape), dtype=_TORCH[dtype], device=device)
        self._loaded: set[Path] = set()
        self._count, self._capacity = 0, capacity
        self.refresh()
        if not self._count:
            raise DataError(f"{folder / split} holds no scenes; remedy: let `pixelrs train` draw them")

    def __len__(self) -> int:
        return self._count

    def refresh(self) -> None:
        """Takes in shards that have been drawn since."""
        for path in sorted((self._folder / self._split).glob("?????.npz")):
            if path in self._loaded:
                continue
            with np.load(path) as file:
                size = len(file["size"])
                if self._count + size > self._capacity:
                    return
                for name, data in self._data.items():
                    data[self._count : self._count + size] = torch.from_numpy(file[name])
            self._count += size
            self._loaded.add(path)

    def batch(self, scenes: torch.Tensor, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """What is kept of some scenes.

        Args:
            scenes: (B,) int64, each below the length.
            rows: (B,) int64, each below `ROWS`: which conversations about it.
        """
        batch = {}
        for name, data in self._data.items():
            where = (scenes.to(data.device), rows.to(data.device)) if name in FIELDS else (scenes.to(data.device),)
            batch[name] = data[where]
        return batch


_TORCH: dict[type, torch.dtype] = {
    np.uint8: torch.uint8,
    np.int8: torch.int8,
    np.int16: torch.int16,
    np.int32: torch.int32,
}
