"""What the node needs of `pixelrs_ros.engine.session.Session`, so that a test can put something else in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pixelrs_ros.dialogue.evidence import Evidence
from pixelrs_ros.dialogue.storage import Notice, Storage, StorageState
from pixelrs_ros.dialogue.store import DialogueSummary
from pixelrs_ros.types import Frame, Reply, Segment, Turn, Utterance


class SessionProtocol(Protocol):
    """What a turn needs."""

    @property
    def backend(self) -> str:
        """What the network runs on, in words for the log and the diagnostics."""

    @property
    def about(self) -> str:
        """What the network has been trained on, in words for the log; empty: nobody knows."""

    def say(
        self,
        utterance: Utterance,
        frame: Frame,
        on_text: Callable[[str], None] | None = None,
        on_segment: Callable[[Segment], None] | None = None,
        on_stage: Callable[[], None] | None = None,
    ) -> Reply:
        """Answer one utterance; its words and its masks are passed on as soon as they are known.

        `on_stage` is called between the stages before the first word; what it raises ends the turn.
        """

    def ask(
        self,
        utterance: Utterance,
        frame: Frame,
        on_text: Callable[[str], None] | None = None,
        on_segment: Callable[[Segment], None] | None = None,
        on_stage: Callable[[], None] | None = None,
    ) -> Reply:
        """Answer one utterance outside of any dialogue."""

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The turns of a dialogue, oldest first."""

    def next_index(self, session_id: str) -> int:
        """The smallest number that the dialogue's next turn can have."""

    def skip_to(self, session_id: str, next_index: int) -> None:
        """Let no turn of a dialogue that is known have a number below one."""

    def reset(self, session_id: str) -> int:
        """Forget a dialogue; how many turns it had."""

    def session_ids(self) -> tuple[str, ...]:
        """The dialogues that are in memory, the longest silent first."""


class StoredSessionProtocol(SessionProtocol, Protocol):
    """What the node and its services need besides."""

    @property
    def storage(self) -> Storage | None:
        """Where dialogues are to be stored; None when they are not."""

    def summaries(self) -> tuple[DialogueSummary, ...]:
        """Every dialogue, in memory or on disk, the longest silent first."""

    def evidence(self, session_id: str) -> tuple[tuple[Turn, Evidence], ...]:
        """The turns of a dialogue with the images and masks that are stored of them."""

    def storage_state(self) -> StorageState:
        """The state of the store."""

    def maintain(self) -> list[Notice]:
        """Forget what has been silent too long; what the log should say."""

    def set_bounds(
        self, *, max_sessions: int, max_turns: int, max_characters: int, max_new_tokens: int, max_cached_sessions: int,
        max_cached_frames: int, max_frame_cache_mb: float, max_history_tokens: int, session_idle_s: float,
    ) -> None:  # fmt: skip
        """Bound dialogues and caches anew, at once."""

    def close(self) -> None:
        """Close the store's file."""
