"""Which image a dialogue's turns look at: its frame policy, and the image that it has pinned. Imports no ROS."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pixelrs_ros.ros.parameters.policies import FramePolicy
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame


@dataclass
class _Session:
    """What is remembered of a dialogue.

    Attributes:
        policy: What an instruction has asked for; None: the parameter's.
        pinned: The image that all its turns look at.
        answered: Whether a turn about the pinned image has been answered.
        open_turns: Turns that wait or are being answered.
    """

    policy: FramePolicy | None = None
    pinned: BoundFrame | None = None
    answered: bool = False
    open_turns: int = 0


class SessionFrames:
    """The policies and pinned images of all dialogues. Thread-safe.

    It remembers a dialogue as long as that has turns which wait, or is known: at most `max_sessions` images.

    Args:
        known: The dialogues that are remembered.
    """

    def __init__(self, known: Callable[[], Collection[str]]) -> None:
        self._known = known
        self._sessions: defaultdict[str, _Session] = defaultdict(_Session)
        self._lock = threading.Lock()

    def open(self, session_id: str, policy: FramePolicy | None = None) -> None:
        """A turn begins to wait; `policy` holds for its dialogue from now on, None leaves what was."""
        with self._lock:
            session = self._sessions[session_id]
            session.open_turns += 1
            if policy is not None:
                session.policy = policy
                if policy is not FramePolicy.PIN_FIRST:
                    session.pinned, session.answered = None, False

    def policy(self, session_id: str, default: FramePolicy) -> FramePolicy:
        """What holds for a dialogue; `default` where no instruction has asked for anything."""
        with self._lock:
            session = self._sessions.get(session_id)
            return session.policy if session is not None and session.policy is not None else default

    def pinned(self, session_id: str) -> BoundFrame | None:
        """The image that the dialogue has pinned, None as long as it has none."""
        with self._lock:
            session = self._sessions.get(session_id)
            return None if session is None else session.pinned

    def pin(self, session_id: str, bound: BoundFrame) -> None:
        """Make the dialogue's turns look at an image from now on; it stays pinned once a turn about it is answered."""
        with self._lock:
            session = self._sessions[session_id]
            session.pinned, session.answered = bound, False

    def close(self, session_id: str, bound: BoundFrame | None, *, answered: bool) -> None:
        """A turn about an image has ended; an image that no turn was answered about does not stay pinned."""
        with self._lock:
            session = self._sessions[session_id]
            session.open_turns -= 1
            if answered and bound is session.pinned:
                session.answered = True
            if not session.open_turns and not session.answered:
                session.pinned = None
        self.forget_unknown()

    def forget_unknown(self) -> None:
        """Let go of the dialogues that are no longer known and have no turn that waits."""
        known = self._known()
        with self._lock:
            for name, session in list(self._sessions.items()):
                if not session.open_turns and name not in known:
                    del self._sessions[name]

    def forget(self, session_id: str) -> None:
        """Forget a dialogue's policy and image, as when it is reset."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None:
                session.policy, session.pinned, session.answered = None, None, False
