"""Dialogues by session id in memory, bounded in number and in length."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pixelrs_ros.types import Turn


@dataclass(frozen=True)
class DialogueSummary:
    """What is known of a dialogue without reading it.

    Attributes:
        session_id: Its name.
        num_turns: Turns that are remembered.
        next_index: The number of its next turn.
        idle_s: Seconds since its last turn ended.
    """

    session_id: str
    num_turns: int
    next_index: int
    idle_s: float


@dataclass
class _Dialogue:
    turns: list[Turn] = field(default_factory=list)
    next_index: int = 0
    active_s: float = 0.0


class DialogueStore:
    """The turns of every session; the session that was silent longest is forgotten first, and so is its oldest turn.

    Args:
        max_sessions: Dialogues kept at once, at least 1.
        max_turns: Past turns kept of each, at least 1.
        clock: Seconds that never run backwards.

    Raises:
        ValueError: A bound is below 1.
    """

    def __init__(self, max_sessions: int, max_turns: int, clock: Callable[[], float] = time.monotonic) -> None:
        if max_sessions < 1 or max_turns < 1:
            raise ValueError(f"expected bounds of at least 1, got {max_sessions} sessions, {max_turns} turns")
        self.max_sessions = max_sessions
        self.max_turns = max_turns
        self._clock = clock
        self._dialogues: OrderedDict[str, _Dialogue] = OrderedDict()

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._dialogues

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The remembered turns, oldest first; empty for an unknown session."""
        return tuple(self._dialogues[session_id].turns) if session_id in self._dialogues else ()

    def next_index(self, session_id: str) -> int:
        """The smallest number that the session's next turn can have, counted from 0 since the session began."""
        return self._dialogues[session_id].next_index if session_id in self._dialogues else 0

    def put(self, session_id: str, turn: Turn, *, replace_last: bool = False) -> tuple[str, ...]:
        """Remember the session's next turn, or another one in the place of its last.

        Args:
            session_id: Its name.
            turn: Its index is at least `next_index`: numbers may be left out, but none is used twice.
            replace_last: Forget the last turn, whose place this one takes.

        Returns:
            The sessions that were forgotten to make room.

        Raises:
            ValueError: The turn has a smaller index.
        """
        dialogue = self._dialogues.get(session_id) or _Dialogue()
        if turn.index < dialogue.next_index:
            raise ValueError(f"expected turn {dialogue.next_index} or a later one, got turn {turn.index}")
        if replace_last:
            del dialogue.turns[-1:]
        dialogue.turns.append(turn)
        del dialogue.turns[: -self.max_turns]
        dialogue.next_index = turn.index + 1
        return self._keep(session_id, dialogue, 0.0)

    def skip_to(self, session_id: str, next_index: int) -> bool:
        """Leave the numbers below one out; whether the session is known and that changed anything."""
        dialogue = self._dialogues.get(session_id)
        if dialogue is None or dialogue.next_index >= next_index:
            return False
        dialogue.next_index = next_index
        return True

    def restore(self, session_id: str, turns: Sequence[Turn], next_index: int, idle_s: float) -> tuple[str, ...]:
        """Take over a session that was kept elsewhere; returns the sessions that were forgotten to make room."""
        return self._keep(session_id, _Dialogue(list(turns[-self.max_turns :]), next_index), idle_s)

    def _keep(self, session_id: str, dialogue: _Dialogue, idle_s: float) -> tuple[str, ...]:
        dialogue.active_s = self._clock() - idle_s
        self._dialogues[session_id] = dialogue
        self._dialogues.move_to_end(session_id)
        excess = len(self._dialogues) - self.max_sessions
        return tuple(self._dialogues.popitem(last=False)[0] for _ in range(excess))

    def resize(self, max_sessions: int, max_turns: int) -> tuple[str, ...]:
        """Set new bounds, which hold at once; returns the sessions that were forgotten.

        Raises:
            ValueError: A bound is below 1.
        """
        if max_sessions < 1 or max_turns < 1:
            raise ValueError(f"expected bounds of at least 1, got {max_sessions} sessions, {max_turns} turns")
        self.max_sessions, self.max_turns = max_sessions, max_turns
        for dialogue in self._dialogues.values():
            del dialogue.turns[:-max_turns]
        excess = max(0, len(self._dialogues) - max_sessions)
        return tuple(self._dialogues.popitem(last=False)[0] for _ in range(excess))

    def reset(self, session_id: str) -> int:
        """Forget a session.

        Returns:
            How many remembered turns were dropped.
        """
        dialogue = self._dialogues.pop(session_id, None)
        return 0 if dialogue is None else len(dialogue.turns)

    def session_ids(self) -> tuple[str, ...]:
        """Known sessions, the longest silent first."""
        return tuple(self._dialogues)

    def summaries(self) -> tuple[DialogueSummary, ...]:
        """Known sessions, the longest silent first."""
        now_s = self._clock()
        return tuple(
            DialogueSummary(session_id, len(dialogue.turns), dialogue.next_index, now_s - dialogue.active_s)
            for session_id, dialogue in self._dialogues.items()
        )
