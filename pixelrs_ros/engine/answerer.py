"""The seam between dialogues and networks: what `Session`, the node and every command need of whatever answers.

`Engine` (MIRAS) and `VlmEngine` (a grounding vision-language model with SAM 2) are the two that there are; the folder
that `checkpoint` names decides, see `opening.py`. What each must hold is tested once for all, in
`test/engine/test_answerers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from pixelrs_ros.engine.prefix import PrefixCache
from pixelrs_ros.types import Point, Reply, Segment, Status, Turn

OnText = Callable[[str], None]
OnSegment = Callable[[Segment], None]
OnStage = Callable[[], None]


def go_on() -> None:
    """An `OnStage` of somebody who does not want to end the work."""


class Seen(Protocol):
    """A picture as an answerer keeps it: a frozen dataclass with these fields, and whatever it needs besides."""

    @property
    def key(self) -> bytes:
        """Identity, see `picture_key`."""

    @property
    def height_px(self) -> int:
        """The picture's height."""

    @property
    def width_px(self) -> int:
        """The picture's width."""

    @property
    def encode_ms(self) -> float:
        """How long the caller waited for it."""

    @property
    def num_bytes(self) -> int:
        """Memory that it takes."""

    @property
    def novelty(self) -> float:
        """How far it is from what the network was trained on; 0: not known."""


class Answerer(Protocol):
    """A picture and a dialogue in, words and masks out. One thread at a time."""

    @property
    def backend(self) -> str:
        """What it runs on, in words for logs."""

    @property
    def about(self) -> str:
        """What it was trained on, in words for logs; empty: nobody says."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def encode(self, image: np.ndarray, *, blind: bool = False, on_stage: OnStage = go_on) -> Any:
        """Look at a picture, once for all turns about it.

        Args:
            image: (H, W, 3) uint8 RGB in [0, 255].
            blind: What reads the words sees plain gray, what cuts the masks the picture.
            on_stage: Called between the stages; what it raises ends the work.

        Returns:
            What `answer` takes, a `Seen`.
        """

    def new_prefix(self) -> PrefixCache:
        """What `answer` keeps of a dialogue for its next turn; empty as yet."""

    def answer(
        self, encoded: Any, turns: Sequence[Turn], text: str, on_text: OnText | None = None,
        max_new_tokens: int | None = None, *, on_segment: OnSegment | None = None, prefix: PrefixCache | None = None,
        max_history_tokens: int | None = None, on_stage: OnStage = go_on, point: Point | None = None,
    ) -> Reply:  # fmt: skip
        """Answer the user's next words. What `on_text`, `on_segment` and `on_stage` raise ends the turn.

        Args:
            encoded: What `encode` gave.
            turns: The dialogue so far, oldest first; the oldest are left out where the context is too small.
            text: The user's words.
            on_text: Called with the explanation as far as it is known, after every token.
            max_new_tokens: Longest answer; None takes the checkpoint's.
            on_segment: Called with every mask, of the picture's size, as soon as it is known.
            prefix: This dialogue's, from `new_prefix`; the reply is the same without.
            max_history_tokens: Most tokens of the turns so far; None gives them what the context leaves.
            on_stage: Called before the prompt is read, and between its pieces where it is read in pieces; after the
                first token it is `on_text` that is called.
            point: Where in the picture the user points while saying this; None: nowhere.

        Raises:
            BadInputError: The words alone do not fit into the context.
            AnswerError: The network's answer makes no sense.
        """

    def box_mask(self, encoded: Any, box: tuple[int, int, int, int]) -> np.ndarray:
        """What SAM alone cuts out of a box.

        Args:
            encoded: What `encode` gave.
            box: Left, top, right and bottom edge in pixels of the picture.

        Returns:
            (H, W) bool.
        """

    def history_answer(self, value: str, status: Status) -> str:
        """A data set's answer in the form that `Turn.answer` keeps."""

    def check_answer_length(self, max_new_tokens: int | None) -> None:
        """Find out whether answers of that length leave room for an instruction.

        Raises:
            ConfigError: They do not.
        """
