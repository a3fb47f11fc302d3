"""Plays one recorded dialogue with an engine under a condition, and keeps every reply."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from pixelrs_ros.errors import AnswerError, BadInputError
from pixelrs_ros.types import Point, Reply, Status, Turn


class AnsweringEngine(Protocol):
    """What an evaluation needs of an engine."""

    def encode(self, image: np.ndarray, *, blind: bool = False) -> Any:
        """See an (H, W, 3) uint8 RGB image; `blind`: the language model's encoders see plain gray, SAM the image."""

    def answer(self, encoded: Any, turns: Sequence[Turn], text: str, *, point: Point | None = None) -> Reply:
        """Answer an instruction after the turns of a dialogue; `point`: where the user points."""

    def history_answer(self, value: str, status: Status) -> str:
        """An answer of a data set as a dialogue's history keeps it."""


@dataclass(frozen=True)
class Condition:
    """What the network is given before and beside the last instruction.

    Attributes:
        history: "own": every turn is played and the history holds the network's answers; "reference": the history
            holds the data's answers; "none": the last instruction alone.
        blind: The language model sees plain gray instead of the image.
    """

    history: Literal["own", "reference", "none"] = "own"
    blind: bool = False

    @property
    def name(self) -> str:
        """What tables and JSON call it."""
        name = {"own": "own history", "reference": "reference history", "none": "last turn only"}[self.history]
        return f"{name}, blind" if self.blind else name


HEADLINE = Condition()
ALL_CONDITIONS = (
    HEADLINE,
    Condition(blind=True),
    Condition(history="none"),
    Condition(history="reference"),
)


@dataclass(frozen=True)
class Exchange:
    """One human turn of a data set and the answer that the data gives to it; `point`: where the user points."""

    text: str
    answer: str
    status: Status
    point: Point | None = None


@dataclass(frozen=True)
class Played:
    """The replies to a dialogue's instructions; only the last one where the history was not the network's own.

    Attributes:
        replies: One an instruction that was put to the network.
        seconds: Wall time of each, without the encoding of the image.
    """

    replies: tuple[Reply, ...]
    seconds: tuple[float, ...]


def past_turns(engine: AnsweringEngine, exchanges: Sequence[Exchange]) -> list[Turn]:
    """The data's own history of a dialogue's last instruction."""
    return [
        Turn(index, past.text, engine.history_answer(past.answer, past.status), past.status, point=past.point)
        for index, past in enumerate(exchanges[:-1])
    ]


def play(engine: AnsweringEngine, encoded: Any, exchanges: Sequence[Exchange], condition: Condition) -> Played:
    """Put a dialogue's instructions to an engine.

    An instruction that the engine cannot use gets a `BAD_INPUT` reply, one that it answers with nonsense an
    `INTERNAL_ERROR`; neither leaves a turn, as in a live dialogue.

    Args:
        engine: Answers.
        encoded: The dialogue's image as the engine encoded it; whether blind is decided there.
        exchanges: The recorded dialogue, at least one.
        condition: What the history holds.
    """
    turns = past_turns(engine, exchanges) if condition.history == "reference" else []
    asked = exchanges if condition.history == "own" else exchanges[-1:]
    replies: list[Reply] = []
    seconds: list[float] = []
    for exchange in asked:
        start = time.perf_counter()
        try:
            reply = engine.answer(encoded, tuple(turns), exchange.text, point=exchange.point)
            turns.append(Turn(len(turns), exchange.text, reply.answer, reply.status, point=exchange.point))
        except BadInputError as error:
            reply = Reply(status=Status.BAD_INPUT, text="", message=str(error))
        except AnswerError as error:
            reply = Reply(status=Status.INTERNAL_ERROR, text="", message=str(error))
        seconds.append(time.perf_counter() - start)
        replies.append(reply)
    return Played(tuple(replies), tuple(seconds))
