"""What can be said at which point of a talk, and how often: the tables that the composer draws from.

The numbers are chosen by hand: weights of one table beside one another, or shares in [0, 1] where they say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.talk.refer import RELATIONS, SIDES, Things
from pixelrs_ros.types import Status

# By part: the slot of what somebody calls it who goes by its use.
USES = {
    "handle": "use.handle", "lid": "use.opens", "cap": "use.opens", "cover": "use.opens", "body": "use.inside",
    "spout": "use.spout", "blade": "use.blade", "head": "use.head", "shaft": "use.shaft", "bowl": "use.bowl",
    "bristles": "use.bristles", "base": "use.base", "shade": "use.shade", "pages": "use.pages",
}  # fmt: skip
HOLLOW = ("mug", "box", "basket", "pan", "teapot", "bowl", "can")  # kinds whose body is "the inside"
# Numbers of turns, and the share of conversations that has each.
LENGTHS = ((1, 2, 3, 4, 5, 6), (0.40, 0.20, 0.16, 0.12, 0.07, 0.05))
MAX_SHOWN = 4  # masks of one answer
STATUSES = (Status.GROUNDED, Status.CLARIFY, Status.NOT_FOUND)
# How often an order goes by each form.
FORM_WEIGHTS = {
    "kind": 5.0, "color": 3.2, "color_kind": 7.0, "wish": 2.0, "group": 0.7, "any.kind": 0.5,
    "big": 0.4, "small": 0.4, "big.kind": 0.5, "small.kind": 0.5, "middle": 0.3, "middle.kind": 0.4,
    **dict.fromkeys(SIDES, 0.5), **{f"{side}.kind": 0.55 for side in SIDES},
    "from_left": 0.4, "from_right": 0.4, "from_left.kind": 0.4, "from_right.kind": 0.4,
    **dict.fromkeys(RELATIONS, 0.55), "between": 0.5,
    "all.kind": 0.6, "all.color": 0.5, "both.kind": 0.5,
}  # fmt: skip
ENDS = (0.5, 0.22, 0.28)  # shares of `STATUSES` that an order shall end in, where the scene allows it
# The same as `FORM_WEIGHTS`, of an answer to a question back.
NARROWING_WEIGHTS = {
    "color": 5.0, "kind": 3.0, "color_kind": 2.0, "not_color": 1.0, "not_kind": 0.5, "wish": 0.4, "big": 0.7,
    "small": 0.7, "middle": 0.4, "from_left": 0.5, "from_right": 0.5, **dict.fromkeys(SIDES, 1.3), "next_to": 0.4,
    "left_of": 0.3, "right_of": 0.3, "any.kind": 0.3,
}  # fmt: skip
# Weights of the acts by what went before: nothing, a question back, something shown.
ACT_WEIGHTS: dict[str, dict[str, float]] = {
    "start": {
        "order": 10.0, "wish": 3.2, "part_of": 2.6, "part_alone": 0.7, "unknown": 0.5, "pronoun": 0.15, "is_there": 1.0,
        "what": 0.7, "color_of": 0.7, "count": 0.6, "count_all": 0.3, "what_side": 0.5, "greet": 0.6, "thanks": 0.3,
        "bye": 0.2, "help": 0.35, "smalltalk": 0.4, "nonsense": 0.45, "confirm": 0.08, "reject": 0.08,
    },
    "asked": {
        "narrow": 14.0, "order": 1.6, "wish": 0.4, "part_of": 0.5, "unknown": 0.2, "is_there": 0.3, "color_of": 0.3,
        "count": 0.2, "what_side": 0.3, "thanks": 0.4, "smalltalk": 0.2, "nonsense": 0.3, "bye": 0.1, "change": 0.8,
        "help": 0.1, "what": 0.2, "confirm": 0.15, "reject": 0.15,
    },
    "shown": {
        "part": 6.0, "part_of": 1.2, "order_it": 1.8, "confirm": 0.8, "correct": 3.2, "reject": 0.7, "next": 2.2,
        "change": 1.6, "other": 1.6, "back": 1.0, "order": 1.6, "wish": 0.9, "is_there": 0.4, "color_of": 0.3,
        "count": 0.3, "what": 0.3, "what_side": 0.3, "count_all": 0.1, "thanks": 1.0, "bye": 0.3, "smalltalk": 0.3,
        "nonsense": 0.3, "greet": 0.1, "help": 0.1, "unknown": 0.3,
    },
}  # fmt: skip
MISTAKE_RATE = 0.1  # of what is shown: the robot shows something else, and the user says so
ATTEMPTS = 12  # acts or forms that are tried before a conversation ends


@dataclass
class TalkState:
    """What the talk is about."""

    candidates: Things = ()
    focus: Element | None = None
    part: str | None = None
    context: Things = ()  # what the focus was chosen from
    shown: list[Element] = field(default_factory=list)
    mistaken: Element | None = None  # what should have been shown

    @property
    def stage(self) -> str:
        """Key of `ACT_WEIGHTS`."""
        return "asked" if self.candidates else "shown" if self.focus is not None else "start"
