"""What the tests ask about a scene that nobody has trained on, in the words of the held-out voices."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.talk.compose import Composer
from pixelrs_ros.sim.talk.conversation import ending
from pixelrs_ros.sim.talk.refer import RELATIONS, SIDES, Expression, expressions, fits
from pixelrs_ros.sim.talk.turns import DialogueTurn
from pixelrs_ros.sim.talk.voices import Speaker
from pixelrs_ros.types import Status

Turns = list[DialogueTurn]

DIRECT = {"order": 12.0, "wish": 2.5, "part_of": 2.5, "unknown": 0.6}
PLACES = (
    *RELATIONS, "between", *SIDES, *(f"{side}.kind" for side in SIDES), "middle", "middle.kind",
    "from_left", "from_right", "from_left.kind", "from_right.kind",
)  # fmt: skip
PARTS = {"part_of": 4.0, "part_alone": 1.0}
CHAT = (
    "greet", "thanks", "bye", "help", "smalltalk", "nonsense", "is_there", "is_there", "what", "color_of", "count",
    "count_all", "what_side",
)  # fmt: skip
PAIRED_FORMS = ("kind", "color", "color_kind", "color_kind", "wish", "left.kind", "right.kind", "big.kind")
# How the same words end on two scenes, and how often.
PAIRED_ENDS = (
    ((Status.GROUNDED, Status.NOT_FOUND), 5),
    ((Status.GROUNDED, Status.CLARIFY), 3),
    ((Status.CLARIFY, Status.NOT_FOUND), 2),
)
_ATTEMPTS = 40


def direct(things: Sequence[Element], speaker: Speaker, rng: random.Random, width_px: float) -> Turns:
    """One order, of any sort."""
    composer = Composer(things, speaker, rng, width_px)
    return _first(composer, [rng.choices(list(DIRECT), list(DIRECT.values()))[0] for _ in range(_ATTEMPTS)])


def relations(things: Sequence[Element], speaker: Speaker, rng: random.Random, width_px: float) -> Turns:
    """One order by place, by a place in a row, or by another thing."""
    composer = Composer(things, speaker, rng, width_px)
    for form in rng.sample(PLACES, len(PLACES)):
        known = [one for one in expressions(form, things, absent=False) if fits(one, things)]
        if known:
            return [composer.say_order(rng.choice(known))]
    return []


def parts(things: Sequence[Element], speaker: Speaker, rng: random.Random, width_px: float) -> Turns:
    """One order for a part."""
    composer = Composer(things, speaker, rng, width_px)
    return _first(composer, [rng.choices(list(PARTS), list(PARTS.values()))[0] for _ in range(_ATTEMPTS)])


def chat(things: Sequence[Element], speaker: Speaker, rng: random.Random, width_px: float) -> Turns:
    """Talk or a question, half of the time after an order."""
    composer = Composer(things, speaker, rng, width_px)
    if rng.random() < 0.5:
        composer.take("order")
    before = len(composer.turns)
    turns = _first(composer, [rng.choice(CHAT) for _ in range(_ATTEMPTS)])
    return turns if len(turns) > before else []


def _first(composer: Composer, acts: Sequence[str]) -> Turns:
    """The turns after the first of the acts that fits."""
    any(composer.take(act) for act in acts)
    return composer.turns


TELLERS: dict[str, Callable[[Sequence[Element], Speaker, random.Random, float], Turns]] = {
    "test_direct": direct, "test_relations": relations, "test_parts": parts, "test_chat": chat,
}  # fmt: skip
PAIRS = "test_pairs"


def pair(
    first: Sequence[Element], second: Sequence[Element], rng: random.Random, width_px: float
) -> tuple[Turns, Turns] | None:
    """The same words on two scenes that differ in the truth, in this order or the other; None where none are found."""
    wanted = [ends for ends, weight in PAIRED_ENDS for _ in range(weight)]
    for _ in range(_ATTEMPTS):
        ends = list(rng.choice(wanted))
        rng.shuffle(ends)
        form = rng.choice(PAIRED_FORMS)
        fitting = [
            one
            for one in expressions(form, first, absent=True)
            if _ends(one, first) == ends[0] and _ends(one, second) == ends[1]
        ]
        if not fitting:
            continue
        expression = rng.choice(fitting)
        speaker = Speaker("test", rng)
        said = [Composer(things, speaker, rng, width_px).say_order(expression) for things in (first, second)]
        return [said[0]], [replace(said[1], user=said[0].user)]
    return None


def _ends(expression: Expression, things: Sequence[Element]) -> Status | None:
    found = fits(expression, things)
    return None if found is None else ending(expression, len(found))
