"""Conversations about simulated pictures in PRIST's form: those of one picture, and pairs of the same words on two."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pixelrs_ros.data import prist
from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.talk.compose import conversations
from pixelrs_ros.sim.talk.splits import TELLERS, pair
from pixelrs_ros.sim.talk.turns import DialogueTurn
from pixelrs_ros.sim.talk.voices import Speaker

WIDTH_PX = 640.0
_STREAM = 5  # a source of random choices beside the scene's own


def tell(
    things: Sequence[Element], counts: Mapping[str, int], img_id: str, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Records by split about one picture; fewer than asked for where it does not hold as many.

    Args:
        things: What is visible in it.
        counts: How many of each of `TELLERS`.
        img_id: The picture's id.
        seed: Seeds every choice and the scene.
    """
    rng = random.Random(seed)
    records: dict[str, list[dict[str, Any]]] = {}
    for split, count in counts.items():
        told = (TELLERS[split](things, Speaker("test", rng), rng, WIDTH_PX) for _ in range(count))
        records[split] = [to_record(turns, img_id, seed, things) for turns in told if turns]
    return records


def converse(things: Sequence[Element], count: int, img_id: str, seed: int) -> list[dict[str, Any]]:
    """Records of whole conversations about one picture that end on a mask, in the voices that training hears.

    Args:
        things: What is visible in it.
        count: How many are begun.
        img_id: The picture's id.
        seed: Seeds every choice and the scene.
    """
    told = conversations(things, np.random.default_rng([seed, _STREAM]), count=count, split="val", width_px=WIDTH_PX)
    return [to_record(turns, img_id, seed, things) for turns in told if turns[-1].targets]


def pairs(pictures: Sequence[tuple[str, int, Sequence[Element]]], seed: int) -> Iterator[dict[str, Any]]:
    """Records of pairs: each picture is paired with the one after it, the last with the first.

    Args:
        pictures: File name, scene seed and visible things of each.
        seed: Seeds every choice.
    """
    rng = random.Random(seed)
    following = [*pictures[1:], *pictures[:1]] if len(pictures) > 2 else pictures[1:]
    number = 0
    for (img_id, scene, things), (other_id, other_scene, others) in zip(pictures, following, strict=False):
        told = pair(things, others, rng, WIDTH_PX)
        if told is not None:
            yield to_record(told[0], img_id, scene, things, pair=number)
            yield to_record(told[1], other_id, other_scene, others, pair=number)
            number += 1


def to_record(
    turns: Sequence[DialogueTurn], img_id: str, seed: int, things: Sequence[Element], pair: int | None = None
) -> dict[str, Any]:
    """A conversation as PRIST's JSON has it, with `meta`; one that ends without a mask has no focus."""
    by_id = {thing.object_id: thing for thing in things}

    def label(object_id: int, part: str | None) -> str:
        return by_id[object_id].part_label(part) if part else by_id[object_id].label

    targets = tuple(tuple(label(target.object_id, target.part) for target in turn.targets) for turn in turns)
    last = turns[-1].targets[0] if turns[-1].targets else None
    goal = by_id[last.object_id] if last else None
    meta = prist.PristMeta(
        scene_seed=seed,
        kinds=tuple(turn.kind for turn in turns),
        statuses=tuple(turn.status for turn in turns),
        targets=targets,
        candidates=tuple(tuple(by_id[index].label for index in turn.candidates) for turn in turns),
        kind=goal.kind if goal else "",
        color=goal.color if goal else "",
        part=last.part if last else None,
        pair=pair,
    )
    said = tuple(prist.PristTurn(turn.user, turn.answer) for turn in turns)
    return prist.PristDialogue(img_id, said, targets[-1][0] if last else "", meta).to_record()


def to_mapping(thing: Element) -> dict[str, Any]:
    """An element as JSON types."""
    return asdict(thing)


def from_mapping(values: Mapping[str, Any]) -> Element:
    """The inverse of `to_mapping`."""
    return Element(**{**values, "center_px": tuple(values["center_px"]), "box_px": tuple(values["box_px"])})
