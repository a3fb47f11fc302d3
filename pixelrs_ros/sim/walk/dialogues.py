"""PRIST's third step: paths from the root of the tree to a target, written as dialogues with ground truth."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.talk.turns import Dialogue, DialogueTurn, Target
from pixelrs_ros.sim.walk.rates import RATES, Rates
from pixelrs_ros.sim.walk.walk import DeadEndError, Walk
from pixelrs_ros.sim.walk.wording import Speaker, Split

__all__ = ["Dialogue", "DialogueTurn", "Target", "sample_dialogues"]

MAX_ATTEMPTS = 60
PART_RATE = 0.62  # of the targets that have parts, so that about half of all targets are parts
NAMED_RATE = 0.3  # kept, of the dialogues whose words alone say kind and color
PLAIN_RATE = 0.6  # kept, of the dialogues whose last turn alone says which object it is
LENGTHS = ((3, 4, 5), (0.42, 0.44, 0.14))


def sample_dialogues(
    elements: Sequence[Element], rng: np.random.Generator, *, count: int, split: Split
) -> list[Dialogue]:
    """Draws dialogues about one picture, their targets spread over its elements.

    Args:
        elements: What is visible.
        rng: Every choice comes from it.
        count: How many dialogues.
        split: Whose words the user speaks; training and validation share theirs.

    Returns:
        Up to `count` dialogues of different words; fewer where the picture does not hold as many.
    """
    quick = random.Random(int(rng.integers(2**62)))  # numpy's scalar draws are ten times slower
    speaker = Speaker(split, quick)
    rates = RATES.get(split, Rates())
    found: list[Dialogue] = []
    goals: list[Element] = []
    said: set[tuple[str, ...]] = set()
    for _ in range(2 * count):
        if len(found) == count or not elements:
            break
        goals = goals or quick.sample(list(elements), len(elements))
        dialogue = _lead_to(goals.pop(), elements, speaker, rates, quick)
        if dialogue is not None and (words := tuple(turn.user for turn in dialogue.turns)) not in said:
            said.add(words)
            found.append(dialogue)
    return found


def _lead_to(
    goal: Element, elements: Sequence[Element], speaker: Speaker, rates: Rates, rng: random.Random
) -> Dialogue | None:
    parts = tuple(goal.parts) if len(KINDS[goal.kind].parts) > 1 else ()
    part = rng.choice(parts) if parts and rng.random() < PART_RATE else None
    length = rng.choices(*LENGTHS)[0]
    for _ in range(MAX_ATTEMPTS):
        try:
            dialogue = Walk(elements, goal, part, speaker, rng, rates).take(length)
        except DeadEndError:
            continue
        if dialogue.is_named and rng.random() >= NAMED_RATE:
            continue
        if not dialogue.ambiguous and rng.random() >= PLAIN_RATE:
            continue
        return dialogue
    return None
