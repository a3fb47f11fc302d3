"""How often the rare turns come, by split."""

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
    """

    question: float = 0.08
    absent: float = 0.24
    unknown: float = 0.3
    two_wishes: float = 0.08
    ask: float = 0.25
    miss: float = 0.7


RATES: dict[Split, Rates] = {
    "test_language": Rates(question=0.1, unknown=0.6, two_wishes=0.3, ask=0.6),
}
