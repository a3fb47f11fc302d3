"""Numbers for turns, none of which is used twice in a dialogue. Imports no ROS."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol

_MAX_SESSIONS = 10_000  # in case somebody gives every instruction a dialogue of its own, and all are refused


class _Session(Protocol):
    def next_index(self, session_id: str) -> int:
        """The smallest number that the dialogue's next turn can have."""

    def skip_to(self, session_id: str, next_index: int) -> None:
        """Let no turn of a dialogue that is known have a number below one."""


class TurnNumbers:
    """Numbers the turns of every dialogue in the order in which they begin or are refused. Thread-safe.

    Args:
        session: Remembers the turns that were answered.
    """

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._next: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, session_id: str) -> int:
        """The number of a dialogue's next turn, which no other turn will have."""
        with self._lock:
            number = max(self._next.pop(session_id, 0), self._session.next_index(session_id))
            self._next[session_id] = number + 1
            while len(self._next) > _MAX_SESSIONS:
                self._next.popitem(last=False)
            return number

    def keep(self, session_id: str, number: int) -> None:
        """Remember, where dialogues are stored, that a number was used by a turn that is not."""
        self._session.skip_to(session_id, number + 1)

    def forget(self, session_id: str) -> None:
        """The dialogue begins anew, with 0."""
        with self._lock:
            self._next.pop(session_id, None)
