"""What is shown of the robot, as plain values: no messages, so that the page needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pixelrs_ros.types import GroundedPhrase, Status, Verdict

Point = tuple[float, float, float]


@dataclass(frozen=True)
class PictureView:
    """A live picture.

    Attributes:
        number: Grows with every picture; 0: none has come.
        jpeg: As the page shows it, perhaps smaller than it was.
        stamp_ns: When it was captured, nanoseconds.
        frame_id: Coordinate frame of the camera.
        width_px: Of the camera's image.
        height_px: Likewise.
    """

    number: int = 0
    jpeg: bytes = b""
    stamp_ns: int = 0
    frame_id: str = ""
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True)
class PlaceView:
    """A place in a live picture that somebody points at.

    Attributes:
        x: From the left edge, in [0, 1) of the width.
        y: From the top edge, in [0, 1) of the height.
        stamp_ns: Of the picture.
    """

    x: float
    y: float
    stamp_ns: int


@dataclass(frozen=True)
class TargetView:
    """One mask of a turn, and where it is.

    Attributes:
        phrase: Words of the answer that name it.
        score: The network's own estimate of the mask's IoU, in [0, 1].
        centroid_m: In the camera's optical frame, meters; None: not measured.
        size_m: Side lengths of its box, meters; None: not measured.
        corners_m: The eight corners of its box, in the optical frame, meters: those whose numbers differ in one bit are
            joined by an edge. Empty: not measured.
    """

    phrase: str
    score: float
    centroid_m: Point | None = None
    size_m: Point | None = None
    corners_m: tuple[Point, ...] = ()


@dataclass(frozen=True)
class TurnView:
    """One turn of a dialogue, as far as it is known.

    Attributes:
        key: Names it on the page: a number that no other turn has.
        session_id: The dialogue.
        instruction_id: Of the instruction.
        number: Of the turn within its dialogue; None: not known yet.
        said: The user's words; empty: nobody has told them.
        answer: The robot's words so far.
        phrases: The parts of `answer` that name masks.
        status: How it ended; None while it goes on.
        targets: The masks, in the order that `phrases` counts them in.
        latency_ms: Milliseconds by stage, "total" last.
        has_picture: Whether there is a picture of it.
        verdict: How it was marked; None: it was not.
        is_lost: Whether nobody can answer it any more, as far as the graph tells; means something without a status.
    """

    key: int
    session_id: str
    instruction_id: str
    number: int | None = None
    said: str = ""
    answer: str = ""
    phrases: tuple[GroundedPhrase, ...] = ()
    status: Status | None = None
    targets: tuple[TargetView, ...] = ()
    latency_ms: dict[str, float] = field(default_factory=dict)
    has_picture: bool = False
    verdict: Verdict | None = None
    is_lost: bool = False


@dataclass(frozen=True)
class DialogueView:
    """A dialogue in the list of dialogues.

    Attributes:
        session_id: Its name.
        turns: How many are remembered.
        last_active_s: When its last turn ended, seconds on the robot's clock; 0: never.
    """

    session_id: str
    turns: int
    last_active_s: float


@dataclass(frozen=True)
class DiagnosticView:
    """One line of the diagnostics.

    Attributes:
        name: What it is about.
        level: "ok", "warn", "error" or "stale".
        message: What is the matter.
        values: Details by name.
    """

    name: str
    level: str
    message: str
    values: dict[str, str]


@dataclass(frozen=True)
class CloudView:
    """The points of a turn's targets.

    Attributes:
        points_m: (N, 3) float32, in the camera's optical frame: x right, y down, z forward.
        colors: (N, 3) float32 RGB in [0, 1].
    """

    points_m: np.ndarray
    colors: np.ndarray
