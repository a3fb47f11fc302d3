"""How many instructions a dialogue may send: a token bucket for each. Imports no ROS and no clock."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from pixelrs_ros.ros.queueing.rejection import Rejection, RejectionKind

DEFAULT_BURST_S = 2.0  # a burst of 0 is as much as so many seconds bring


@dataclass(frozen=True)
class RateLimit:
    """What one dialogue may send.

    Attributes:
        per_s: Instructions a second in the long run; 0: as many as it likes.
        burst: Instructions at once, after a pause; 0: what two seconds bring, at least one.
        max_sessions: Dialogues that are kept track of at once, at least 1.
    """

    per_s: float
    burst: int
    max_sessions: int

    @property
    def depth(self) -> int:
        """Tokens that a bucket holds, at least 1."""
        return self.burst or max(1, round(DEFAULT_BURST_S * self.per_s))


class RateLimiter:
    """A token bucket for each dialogue, in bounded memory. Thread-safe.

    A bucket is kept as the one instant at which it will be full again, as in the virtual scheduling form of the generic
    cell rate algorithm (ITU-T I.371, annex A): a bucket that is full is the same as none, and is forgotten. A flood of
    dialogues therefore fills the table only as fast as it spends tokens; once it is full, dialogues that are in it go
    on as before, and new ones are refused until the first bucket has filled up again.
    """

    def __init__(self) -> None:
        self._full_at_s: OrderedDict[str, float] = OrderedDict()  # the longest silent first
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Dialogues that are kept track of."""
        with self._lock:
            return len(self._full_at_s)

    def admit(self, session_id: str, now_s: float, limit: RateLimit) -> Rejection | None:
        """Take a token from a dialogue's bucket.

        Args:
            session_id: The dialogue.
            now_s: Present time in seconds. A clock that jumps backwards empties each bucket at most once.
            limit: In force now; it may be another at every call.

        Returns:
            Why the instruction is refused, naming the parameter; None when it is admitted.
        """
        if limit.per_s <= 0.0:
            return None
        with self._lock:
            self._forget_full(now_s, limit)
            known = session_id in self._full_at_s
            if not known and len(self._full_at_s) >= limit.max_sessions:
                return _rejected(
                    f"{limit.max_sessions} dialogues have sent instructions lately (parameter 'max_tracked_sessions'): "
                    "wait a moment, or speak in one of them"
                )
            interval_s = 1.0 / limit.per_s
            capacity_s = limit.depth * interval_s
            # After a jump of the clock or a new limit, a bucket is at worst empty.
            full_at_s = min(max(self._full_at_s.get(session_id, now_s), now_s), now_s + capacity_s)
            # Rounding must not cost the last token of a burst.
            if full_at_s + interval_s > now_s + capacity_s * (1.0 + 1e-9):
                self._full_at_s[session_id] = full_at_s
                wait_s = full_at_s + interval_s - now_s - capacity_s
                return _rejected(
                    f"more than {limit.per_s:g} instructions a second in this dialogue, after {limit.depth} at once "
                    "(parameters 'max_instructions_per_s', 'instruction_burst'): send it again "
                    f"{max(wait_s, 0.01):.2f} s later"
                )
            self._full_at_s[session_id] = full_at_s + interval_s
            self._full_at_s.move_to_end(session_id)
            return None

    def _forget_full(self, now_s: float, limit: RateLimit) -> None:
        """Drop full buckets: from the front always, all of them only when the table is full."""
        while self._full_at_s and next(iter(self._full_at_s.values())) <= now_s:
            self._full_at_s.popitem(last=False)
        if len(self._full_at_s) >= limit.max_sessions:
            for session_id in [name for name, full_at_s in self._full_at_s.items() if full_at_s <= now_s]:
                del self._full_at_s[session_id]
            while len(self._full_at_s) > limit.max_sessions:  # the limit has become smaller
                self._full_at_s.popitem(last=False)


def _rejected(message: str) -> Rejection:
    return Rejection(RejectionKind.RATE_LIMITED, message)
