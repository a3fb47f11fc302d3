"""What the perception node says about itself on /diagnostics."""

from __future__ import annotations

import threading
from collections import Counter

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from pixelrs_ros.types import Reply, Status

IMAGE_AGE = "age of the newest image [s]"
_NS_PER_S = 1e9
_LEVELS = {
    Status.BAD_INPUT: DiagnosticStatus.WARN,
    Status.INTERNAL_ERROR: DiagnosticStatus.ERROR,
    Status.NO_FRAME: DiagnosticStatus.WARN,
    Status.REJECTED: DiagnosticStatus.WARN,
}


class Health:
    """Counts images and turns, and remembers the last of each. Thread-safe.

    Args:
        name: Fully qualified name of the node, which the diagnostics carry.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._images: Counter[str] = Counter()
        self._turns: Counter[Status] = Counter()
        self._image_stamp_ns: int | None = None
        self._image_error = ""
        self._turn: Reply | None = None
        self._mismatch = ""
        self._mismatches = 0

    def forget_images(self) -> None:
        """Start anew with the next image; called when the node is activated."""
        with self._lock:
            self._image_stamp_ns, self._image_error = None, ""
            self._mismatch = ""

    def note_image(self, stamp_ns: int, error: str) -> None:
        """An image arrived; `error` is empty for a good one."""
        with self._lock:
            self._images["bad" if error else "good"] += 1
            self._image_stamp_ns, self._image_error = stamp_ns, error

    def note_mismatch(self, mismatch: str) -> None:
        """Why depth or camera info cannot be used with the image of a turn; empty when they can."""
        with self._lock:
            self._mismatch = mismatch
            self._mismatches += bool(mismatch)

    def note_turn(self, reply: Reply) -> None:
        """A turn ended."""
        with self._lock:
            self._turns[reply.status] += 1
            self._turn = reply

    def statuses(
        self, *, state: str, now_ns: int, max_frame_age_s: float, waiting: int, backend: str
    ) -> list[DiagnosticStatus]:
        """The state of the camera and of the dialogue.

        Args:
            state: Name of the node's lifecycle state.
            now_ns: Present time on the node's clock.
            max_frame_age_s: From which age on an image counts as stale.
            waiting: Instructions in the queue.
            backend: What the network runs on; empty while none is loaded.
        """
        with self._lock:
            return [self._camera(state, now_ns, max_frame_age_s), self._dialogue(state, waiting, backend)]

    def _camera(self, state: str, now_ns: int, max_frame_age_s: float) -> DiagnosticStatus:
        age_s = None if self._image_stamp_ns is None else (now_ns - self._image_stamp_ns) / _NS_PER_S
        level, message = DiagnosticStatus.OK, "images arrive"
        if state != "active":
            message = f"the node is {state}"
        elif age_s is None:
            level, message = DiagnosticStatus.WARN, "no image has arrived yet"
        elif self._image_error:
            level, message = DiagnosticStatus.ERROR, self._image_error
        elif age_s > max_frame_age_s:
            level, message = (DiagnosticStatus.WARN, f"the newest image is {age_s:.1f} s old")
        elif self._mismatch:
            level, message = (DiagnosticStatus.WARN, self._mismatch)
        values = {
            "good images": str(self._images["good"]),
            "bad images": str(self._images["bad"]),
            "turns whose depth does not fit": str(self._mismatches),
            IMAGE_AGE: "" if age_s is None else f"{age_s:.2f}",
        }
        return self._status("camera", level, message, values)

    def _dialogue(self, state: str, waiting: int, backend: str) -> DiagnosticStatus:
        level, message = DiagnosticStatus.OK, "no turn yet"
        values = {"state": state, "waiting instructions": str(waiting), "backend": backend}
        values.update({f"turns {status.value}": str(self._turns[status]) for status in Status})
        if self._turn is not None:
            level = _LEVELS.get(self._turn.status, DiagnosticStatus.OK)
            message = self._turn.message or f"the last turn was {self._turn.status.value}"
            values.update({f"last turn, {stage} [ms]": f"{ms:.0f}" for stage, ms in self._turn.latency_ms.items()})
        return self._status("dialogue", level, message, values)

    def _status(self, part: str, level: bytes, message: str, values: dict[str, str]) -> DiagnosticStatus:
        pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
        return DiagnosticStatus(
            name=f"{self._name}: {part}", level=level, message=message, hardware_id=self._name, values=pairs
        )
