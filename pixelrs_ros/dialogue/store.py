"""Dialogues by session id, bounded in number and in length."""

from __future__ import annotations

from collections import OrderedDict

from pixelrs_ros.types import Reply, Turn


class DialogueStore:
    """The turns of every session; the session that was silent longest is forgotten first, and so is its oldest turn."""

    def __init__(self, max_sessions: int, max_turns: int) -> None:
        """Bounds.

        Args:
            max_sessions: Dialogues kept at once, at least 1.
            max_turns: Past turns kept of each, at least 1.

        Raises:
            ValueError: A bound is below 1.
        """
        if max_sessions < 1 or max_turns < 1:
            raise ValueError(f"expected bounds of at least 1, got {max_sessions} sessions, {max_turns} turns")
        self.max_sessions = max_sessions
        self.max_turns = max_turns
        self._dialogues: OrderedDict[str, list[Turn]] = OrderedDict()
        self._next_index: dict[str, int] = {}

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The remembered turns, oldest first; empty for an unknown session."""
        return tuple(self._dialogues.get(session_id, ()))

    def next_index(self, session_id: str) -> int:
        """The number that the session's next turn will have, counted from 0 since the session began."""
        return self._next_index.get(session_id, 0)

    def append(self, session_id: str, text: str, reply: Reply) -> Turn:
        """Remember one exchange."""
        turn = Turn(self.next_index(session_id), text, reply.answer, reply.status)
        dialogue = self._dialogues.setdefault(session_id, [])
        dialogue.append(turn)
        del dialogue[: -self.max_turns]
        self._next_index[session_id] = turn.index + 1
        self._dialogues.move_to_end(session_id)
        while len(self._dialogues) > self.max_sessions:
            forgotten, _ = self._dialogues.popitem(last=False)
            del self._next_index[forgotten]
        return turn

    def reset(self, session_id: str) -> int:
        """Forget a session.

        Returns:
            How many remembered turns were dropped.
        """
        self._next_index.pop(session_id, None)
        return len(self._dialogues.pop(session_id, ()))

    def session_ids(self) -> tuple[str, ...]:
        """Known sessions, the longest silent first."""
        return tuple(self._dialogues)
