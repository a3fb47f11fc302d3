"""How often turns and words of each sort come: chosen by hand so that rare ones are common enough to be learned."""

from __future__ import annotations

from dataclasses import dataclass

from pixelrs_ros.sim.walk.wording import Split


@dataclass(frozen=True)
class Rates:
    """How often a dialogue takes a turn that is rare at a table, in [0, 1].

    Attributes:
        question: It starts with a question about the scene.
        absent: It starts with something that is not there.
        unknown: What is not there is none of `KINDS`, of the turns that could be so.
        two_wishes: An opening holds two wishes.
        ask: Weight of a question in between, beside about 2.5 for all other moves.
        miss: Weight of something that is not there in between, likewise.
        named_part: A part is asked for by its name, and not by what it is for.
        full: A last turn that could go by kind or color names both.
        short: A named part whose words allow it is said in short: "red mug handle".
    """

    question: float = 0.08
    absent: float = 0.24
    unknown: float = 0.3
    two_wishes: float = 0.08
    ask: float = 0.25
    miss: float = 0.7
    named_part: float = 0.6
    full: float = 0.1
    short: float = 0.25


MAX_QUESTIONS = 1  # of one dialogue
MAX_SHOWN = 3  # more masks than this in one answer teach nothing new
# Weights of the ways to refer to a thing in between.
REFERENCE_WEIGHTS = {
    "color": 1.0, "kind": 0.8, "wish": 0.25, "other": 1.5, "left": 0.8, "right": 0.8, "near": 0.6, "far": 0.6,
}  # fmt: skip

RATES: dict[Split, Rates] = {
    "test_language": Rates(question=0.1, unknown=0.6, two_wishes=0.3, ask=0.6),
}
