"""What the perception node says about itself on /diagnostics.

Statuses, each with a level, `NAME` being the node's fully qualified name:

- `NAME: camera` sums up all cameras, with the worst of their levels and the age of the newest image; one camera is
  `NAME: camera TOPIC`. WARN: no image has come yet, or the newest is older than `max_frame_age_s` or further in the
  future than `max_frame_slop_s`, or images of the last ten seconds were bad or out of order, or something is wrong with
  its topics, or (for all together) the depth of the last turn did not fit its image. ERROR: the newest image cannot be
  used. It also says in which unit the camera's depth is taken.
- `NAME: instructions` counts what became of the instructions. WARN: some were rejected or preempted within the last ten
  seconds. ERROR: most of those that came within the last ten seconds were rejected.
- `NAME: dialogue` is the last turn, the turns by status and what waits. WARN: the last turn was BAD_INPUT, NO_FRAME or
  CANCELLED, its image is unlike those that the network was trained on, or a turn takes longer than `SLOW_TURN_S`.
  ERROR: the last turn was INTERNAL_ERROR.
- `NAME: latency` gives median, 95th percentile and maximum over the last `WINDOW` turns of each stage, and of the age
  that the frame had when its turn began. WARN: that age exceeded `max_frame_age_s` in one turn of twenty within the
  last minute; ERROR: in every second one, so that most masks are of a picture of the past.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.depth import DEFAULT_UNITS_M
from pixelrs_ros.ros.queueing.rejection import Rejection
from pixelrs_ros.ros.wire.conversions import diagnostic
from pixelrs_ros.types import Reply, Status, unlikely

IMAGE_AGE = "age of the newest image [s]"
DEPTH_UNIT = "unit of depth [m]"
STATE = "state"  # of the life cycle
WINDOW = 100  # turns over which latencies are summed up
SLOW_TURN_S = 30.0
_RECENT_S = 10.0
_RECENT_TURNS_S = 60.0
_NS_PER_S = 1e9
_MAX_STAGES = 64

_CLOCKS = (
    "let both go by one clock (a recording: ros2 bag play --clock, and use_sim_time), or set frame_policy to latest"
)

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
_LEVELS = {
    Status.BAD_INPUT: WARN,
    Status.NO_FRAME: WARN,
    Status.CANCELLED: WARN,
    Status.NOT_UNDERSTOOD: WARN,
    Status.INTERNAL_ERROR: ERROR,
}
_RAN = (Status.GROUNDED, Status.ANSWERED, Status.NOT_FOUND, Status.CLARIFY)


@dataclass(frozen=True)
class NodeSnapshot:
    """The node at the time of a diagnostics message, besides what has been counted.

    Attributes:
        state: Name of the node's lifecycle state.
        now_ns: Present time on the node's clock.
        max_frame_age_s: From which age on an image counts as stale.
        max_frame_slop_s: How far in the future an image may be.
        waiting: Instructions in the queue.
        busy_s: How long the running turn has been running, 0 when none runs.
        backend: What the network runs on; empty while none is loaded.
        depth_unit_m: What a value of 1 in a depth image means; 0: what its encoding says.
        instruction_problem: What is wrong with the topics of the instructions; None: nothing is known to be.
    """

    state: str
    now_ns: int
    max_frame_age_s: float
    max_frame_slop_s: float
    waiting: int
    busy_s: float
    backend: str
    depth_unit_m: float = 0.0
    instruction_problem: str | None = None


class Recent:
    """How often something happened in the last seconds, in constant memory."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._seconds: deque[tuple[int, int]] = deque()  # (second, how often in it)

    def __len__(self) -> int:
        """In how many of the seconds it happened, which is all that is kept."""
        return len(self._seconds)

    def note(self, now_s: float) -> None:
        """It happens."""
        second = math.floor(now_s)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + 1)
        else:
            self._seconds.append((second, 1))
        self.count(now_s)

    def count(self, now_s: float) -> int:
        """How often it happened in the window, to a second."""
        while self._seconds and self._seconds[0][0] < now_s - self._window_s:
            self._seconds.popleft()
        return sum(count for _, count in self._seconds)


@dataclass
class _CameraCounts:
    """One camera's images: how many of each kind, and the newest."""

    counts: Counter[str] = field(default_factory=Counter)
    dropped: Recent = field(default_factory=lambda: Recent(_RECENT_S))
    stamp_ns: int | None = None
    arrived_s: float = -math.inf
    error: BadInputError | None = None
    problems: tuple[str, ...] = ()
    depth_encoding: str = ""


class Health:
    """Counts images, instructions and turns, and remembers the last of each. Thread-safe.

    Args:
        name: Fully qualified name of the node, which the diagnostics carry.
        clock_s: Steady time in seconds.
    """

    def __init__(self, name: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._cameras: dict[str, _CameraCounts] = {}
        self._instructions: Counter[str] = Counter()
        self._received, self._rejected, self._preempted = (Recent(_RECENT_S) for _ in range(3))
        self._rejection: Rejection | None = None
        self._mismatch: BadInputError | None = None
        self._mismatches = 0
        self._turns: Counter[Status] = Counter()
        self._turn: Reply | None = None
        self._unlikely = 0
        self._stages: dict[str, deque[float]] = {}
        self._frame_ages_s: deque[tuple[float, float]] = deque(maxlen=WINDOW)  # (when, age)

    def watch(self, topics: Iterable[str]) -> None:
        """Report these cameras from now on; called when the node is activated."""
        with self._lock:
            self._cameras = {topic: self._cameras.get(topic, _CameraCounts()) for topic in topics}
        self.forget_images()

    def forget_images(self) -> None:
        """Start anew with the next image of each camera; called when the clock has been set back."""
        with self._lock:
            for camera in self._cameras.values():
                camera.stamp_ns, camera.error = None, None
            self._mismatch = None

    def note_image(self, topic: str, stamp_ns: int, error: BadInputError | None) -> None:
        """An image arrived; `error` is None for a good one. One that is older than the one before is out of order."""
        with self._lock:
            camera = self._cameras.setdefault(topic, _CameraCounts())
            late = camera.stamp_ns is not None and stamp_ns < camera.stamp_ns
            camera.counts["good" if error is None else "bad"] += 1
            camera.counts["out of order"] += late
            if error is not None or late:
                camera.dropped.note(self._clock_s())
            camera.stamp_ns, camera.error, camera.arrived_s = stamp_ns, error, self._clock_s()

    def note_problems(self, topic: str, problems: Iterable[str]) -> None:
        """What is wrong with a camera's topics, as far as is known now."""
        with self._lock:
            self._cameras.setdefault(topic, _CameraCounts()).problems = tuple(problems)

    def note_depth(self, topic: str, encoding: str) -> None:
        """A depth image of a camera arrived."""
        with self._lock:
            self._cameras.setdefault(topic, _CameraCounts()).depth_encoding = encoding

    def note_mismatch(self, mismatch: BadInputError | None) -> None:
        """Why depth or camera info cannot be used with the image of a turn; None when they can."""
        with self._lock:
            self._mismatch = mismatch
            self._mismatches += mismatch is not None

    def note_instruction(self) -> None:
        """An instruction arrived."""
        with self._lock:
            self._instructions["received"] += 1
            self._received.note(self._clock_s())

    def note_rejection(self, rejection: Rejection) -> None:
        """An instruction was rejected."""
        with self._lock:
            self._instructions[f"rejected, {rejection.kind.value}"] += 1
            self._rejection = rejection
            self._rejected.note(self._clock_s())

    def note_preemption(self) -> None:
        """A turn that ran or waited was cancelled for a newer instruction."""
        with self._lock:
            self._instructions["preempted"] += 1
            self._preempted.note(self._clock_s())

    def note_frame_age(self, age_s: float) -> None:
        """A turn begins, about a frame that is so old by now."""
        with self._lock:
            self._frame_ages_s.append((self._clock_s(), age_s))

    def note_turn(self, reply: Reply) -> None:
        """A turn ended, whether it ran or was refused."""
        with self._lock:
            self._turns[reply.status] += 1
            if reply.status is Status.REJECTED:  # it has never been a turn
                return
            self._turn = reply
            self._unlikely += reply.is_unlikely
            if reply.status in _RAN:
                for stage, ms in reply.latency_ms.items():
                    if stage in self._stages or len(self._stages) < _MAX_STAGES:
                        self._stages.setdefault(stage, deque(maxlen=WINDOW)).append(ms)

    def statuses(self, snapshot: NodeSnapshot) -> list[DiagnosticStatus]:
        """The state of the cameras, the instructions, the dialogue and the latencies; see the module for levels."""
        with self._lock:
            now_s = self._clock_s()
            cameras = [self._camera(topic, camera, snapshot, now_s) for topic, camera in self._cameras.items()]
            return [
                self._all_cameras(cameras, snapshot),
                *cameras,
                self._instruction_status(now_s, snapshot.instruction_problem),
                self._dialogue(snapshot),
                self._latency(snapshot, now_s),
            ]

    def _camera(self, topic: str, camera: _CameraCounts, snapshot: NodeSnapshot, now_s: float) -> DiagnosticStatus:
        age_s = None if camera.stamp_ns is None else (snapshot.now_ns - camera.stamp_ns) / _NS_PER_S
        dropped = camera.dropped.count(now_s)
        level, message = OK, "images arrive"
        if snapshot.state != "active":
            message = f"the node is {snapshot.state}"
        elif age_s is None:
            level, message = WARN, ": ".join(["no image has arrived yet", *camera.problems])
        elif camera.error is not None:
            level, message = ERROR, str(camera.error)
        elif age_s > snapshot.max_frame_age_s:
            level, message = WARN, f"the newest image is {age_s:.1f} s old"
            if now_s - camera.arrived_s <= snapshot.max_frame_age_s:
                message += f", but has just arrived: {_CLOCKS}"
        elif -age_s > snapshot.max_frame_slop_s:
            level, message = (
                WARN,
                f"the newest image is {-age_s:.1f} s in the future: its clock differs from the node's: {_CLOCKS}",
            )
        elif camera.problems:
            level, message = WARN, "; ".join(camera.problems)
        elif dropped:
            level, message = WARN, f"{dropped} images of the last {_RECENT_S:g} s were bad or out of order"
        values = {f"{kind} images": str(camera.counts[kind]) for kind in ("good", "bad", "out of order")}
        values[IMAGE_AGE] = "" if age_s is None else f"{age_s:.2f}"
        values[DEPTH_UNIT] = _unit(camera.depth_encoding, snapshot.depth_unit_m)
        return diagnostic(self._name, f"camera {topic}", message, values, level)

    def _all_cameras(self, cameras: list[DiagnosticStatus], snapshot: NodeSnapshot) -> DiagnosticStatus:
        """The worst level with its words; counts added up; the age of the newest image of all."""
        worst = max(cameras, key=lambda status: status.level, default=None)
        totals = {
            f"{kind} images": str(sum(camera.counts[kind] for camera in self._cameras.values()))
            for kind in ("good", "bad", "out of order")
        }
        stamps_ns = [camera.stamp_ns for camera in self._cameras.values() if camera.stamp_ns is not None]
        age = f"{(snapshot.now_ns - max(stamps_ns)) / _NS_PER_S:.2f}" if stamps_ns else ""
        level, message = (OK, f"the node is {snapshot.state}") if worst is None else (worst.level, worst.message)
        if worst is not None and level != OK and len(cameras) > 1:
            message = f"{worst.name.rpartition(': camera ')[2]}: {message}"
        if level == OK and self._mismatch is not None and snapshot.state == "active":
            level, message = WARN, str(self._mismatch)
        totals["turns whose depth does not fit"] = str(self._mismatches)
        return diagnostic(self._name, "camera", message, {**totals, IMAGE_AGE: age}, level)

    def _instruction_status(self, now_s: float, problem: str | None) -> DiagnosticStatus:
        received, rejected = self._received.count(now_s), self._rejected.count(now_s)
        preempted = self._preempted.count(now_s)
        level, message = OK, "instructions are taken"
        if rejected and self._rejection is not None:
            level = ERROR if 2 * rejected > received else WARN
            words = f"{rejected} of {received} instructions of the last {_RECENT_S:g} s were rejected"
            message = f"{words}: {self._rejection.message}"
        elif preempted:
            level, message = WARN, f"{preempted} turns of the last {_RECENT_S:g} s were preempted"
        elif problem is not None:
            level, message = WARN, problem
        counts = {"received": 0, "preempted": 0, **self._instructions}
        values = {f"instructions {kind}": str(count) for kind, count in counts.items()}
        values[f"instructions received in the last {_RECENT_S:g} s"] = str(received)
        values[f"instructions rejected in the last {_RECENT_S:g} s"] = str(rejected)
        return diagnostic(self._name, "instructions", message, values, level)

    def _dialogue(self, snapshot: NodeSnapshot) -> DiagnosticStatus:
        level, message = OK, "no turn yet"
        values = {STATE: snapshot.state, "waiting instructions": str(snapshot.waiting), "backend": snapshot.backend}
        values.update({f"turns {status.value}": str(self._turns[status]) for status in Status})
        values["turns about unlikely images"] = str(self._unlikely)
        if self._turn is not None:
            level = _LEVELS.get(self._turn.status, OK)
            message = self._turn.message or f"the last turn was {self._turn.status.value}"
            if self._turn.is_unlikely and level == OK:
                level, message = WARN, f"{message}; {unlikely(self._turn)}"
            values.update({f"last turn, {stage} [ms]": f"{ms:.0f}" for stage, ms in self._turn.latency_ms.items()})
        if snapshot.busy_s > SLOW_TURN_S and level != ERROR:
            level, message = WARN, f"a turn has been running for {snapshot.busy_s:.0f} s"
        return diagnostic(self._name, "dialogue", message, values, level)

    def _latency(self, snapshot: NodeSnapshot, now_s: float) -> DiagnosticStatus:
        values = {f"{stage} [ms]": summary(ms) for stage, ms in self._stages.items()}
        values["frame age when its turn began [s]"] = summary((age_s for _, age_s in self._frame_ages_s), digits=3)
        recent_s = [age_s for when_s, age_s in self._frame_ages_s if now_s - when_s <= _RECENT_TURNS_S]
        stale = sum(age_s > snapshot.max_frame_age_s for age_s in recent_s)
        level, message = OK, f"over the last {max(map(len, self._stages.values()), default=0)} turns"
        if stale:
            words = f"{stale} of {len(recent_s)} turns of the last minute began with a frame older than max_frame_age_s"
            if 20 * stale >= len(recent_s):
                level, message = (ERROR if 2 * stale >= len(recent_s) else WARN), words
        return diagnostic(self._name, "latency", message, values, level)


def _unit(encoding: str, unit_m: float) -> str:
    """What a value of 1 in a camera's depth images means, and who says so; empty where no depth has come."""
    if not encoding:
        return ""
    if unit_m:
        return f"{unit_m:g} (parameter 'depth_unit_m'; {encoding})"
    if encoding not in DEFAULT_UNITS_M:
        return f"unknown ({encoding})"
    return f"{DEFAULT_UNITS_M[encoding]:g} (by its encoding, {encoding})"


def summary(values: Iterable[float], digits: int = 1) -> str:
    """Median, 95th percentile (nearest rank) and maximum, in words; empty without values."""
    ordered = sorted(values)
    if not ordered:
        return ""
    ranks = (math.ceil(0.5 * len(ordered)), math.ceil(0.95 * len(ordered)), len(ordered))
    median, p95, largest = (f"{ordered[rank - 1]:.{digits}f}" for rank in ranks)
    return f"median {median}, p95 {p95}, max {largest}"
