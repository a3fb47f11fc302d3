"""What a dialogue with ground truth is made of."""

from __future__ import annotations

from dataclasses import dataclass

from pixelrs_ros.types import Status


@dataclass(frozen=True)
class Target:
    """An object, or one part of it."""

    object_id: int
    part: str | None = None


@dataclass(frozen=True)
class DialogueTurn:
    """One exchange.

    Attributes:
        user: What the user says.
        answer: What should be answered, with `[OBJ]phrase[SEG]` for each target.
        status: How the turn ends.
        kind: What sort of turn it is: wish, attribute, place, correction, change, question, absent, all, take or part.
        targets: What the masks show, in the order of their `[SEG]`.
        candidates: Ids of the objects between which a "which one?" leaves the choice.
        hard: What makes it hard to understand: names of `Habits`, "two_wishes", "unknown_kind".
        learn: Whether the answer is right; one that shows something else is there for what the user says next.
    """

    user: str
    answer: str
    status: Status
    kind: str
    targets: tuple[Target, ...] = ()
    candidates: tuple[int, ...] = ()
    hard: frozenset[str] = frozenset()
    learn: bool = True


@dataclass(frozen=True)
class Dialogue:
    """Three to five turns that end on one target.

    Attributes:
        turns: The exchanges in order.
        purpose: What the target serves for, where the user said so.
        ambiguous: Whether the last user turn alone leaves open which object is meant.
        is_named: Whether the user's words alone, without the picture, say the target's kind and color.
        hard: What makes it hard to understand, sorted: of its turns, and "question_between" or "unheard_wish".
    """

    turns: tuple[DialogueTurn, ...]
    purpose: str | None
    ambiguous: bool
    is_named: bool
    hard: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        """What the last answer's mask shows."""
        return self.turns[-1].targets[0]
