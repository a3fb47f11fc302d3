"""The three steps without a model: by the words of the labels, by places, and the simulator's knowledge of wishes."""

from __future__ import annotations

from collections.abc import Sequence

from pixelrs_ros.data.build.steps import Attributes, Seen, Thing, Way
from pixelrs_ros.data.prist import SEG, PristTurn
from pixelrs_ros.sim.talk.wishes import WISHES, wishes_for
from pixelrs_ros.sim.walk.reasoning import Reference, resolve

LARGE = 0.1  # share of the picture


class RuleBuilder:
    """Asks nobody."""

    async def describe(self, seen: Seen) -> Attributes:
        """See `Builder.describe`."""
        return {thing.label: facts(seen, thing) for thing in seen.things}

    async def split(self, seen: Seen, known: Attributes, things: Sequence[Thing]) -> tuple[str, dict[str, str]]:
        """See `Builder.split`."""
        for question, answers in (
            ("What do you want it for?", [_purpose(thing) for thing in things]),
            ("What is it?", [thing.element.kind for thing in things]),
            ("Which color is it?", [thing.element.color or "another color" for thing in things]),
            ("Is it the leftmost one?", _leftmost(things)),
            ("All of it, or a part of it?", [f"the {thing.part}" if thing.part else "all of it" for thing in things]),
        ):
            if len(set(answers)) > 1:
                return question, {thing.label: answer for thing, answer in zip(things, answers, strict=True)}
        return "Which one is it?", {thing.label: thing.label for thing in things}

    async def talk(self, seen: Seen, known: Attributes, path: Way) -> tuple[PristTurn, ...]:
        """See `Builder.talk`."""
        said = ["I need something from here.", *(f"{answer[0].upper()}{answer[1:]}." for _, answer in path.steps)]
        said[-1] += " Show it to me."
        answers = [*(question for question, _ in path.steps), shown(path.label)]
        return tuple(PristTurn(user, answer) for user, answer in zip(said, answers, strict=True))


def shown(label: str) -> str:
    """The sentence that shows a mask."""
    return f"This is the {label} {SEG}."


def facts(seen: Seen, thing: Thing) -> list[str]:
    """What is known of a thing without looking at the picture."""
    height, width = seen.size_px
    x, y = thing.element.center_px
    column = ("left", "middle", "right")[min(2, int(3 * x / width))]
    row = ("top", "middle", "bottom")[min(2, int(3 * y / height))]
    place = "in the middle" if column == row else f"{row} {column}"
    size = "large" if thing.element.area_px >= LARGE * height * width else "small"
    return [word for word in (thing.element.color, place, size) if word]


def _purpose(thing: Thing) -> str:
    wishes = wishes_for(thing.element.kind)
    return WISHES[wishes[0]].purpose if wishes else "for something else"


def _leftmost(things: Sequence[Thing]) -> list[str]:
    found = resolve(Reference("left"), [thing.element for thing in things])
    return ["yes, the leftmost" if thing.element in found else "no" for thing in things]
