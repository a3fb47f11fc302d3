"""Follows masks from picture to picture: by their own motion while they are seen, by the background's while not."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.tracking.keyframe import KeyFrame, Match
from pixelrs_ros.tracking.motion import Motion, apply, dense_flow, measure_motion, pixel_grid, shift, similarity_at
from pixelrs_ros.types import Frame

MIN_CONFIDENCE = 0.5  # in [0, 1]; below it a target is lost

# Chosen by hand; docs/results.md says what they reach on videos. Shares are in [0, 1]; px of the pictures worked on.
_LONGEST_SIDE_PX, _SHORTEST_SIDE_PX = 320, 64  # of the pictures that are worked on
_MIN_TRUST = 0.35  # share of the background that must obey one motion: less after a cut, a jump or in the dark
_OFF_MOTION_PX = 1.5  # how far a pixel of a target may be from where the target's motion takes it
_ALL_SEEN, _WELL_SEEN, _SEEN = 0.9, 0.85, 0.7  # shares of the target
_FOUND, _KEPT = 0.4, 0.15  # shares of the target that must be seen to find it again, and to go on following it
_NEW_KEY_FRAMES = 15  # a new keyframe at the earliest after so many frames
_MIN_INSIDE, _FOUND_INSIDE = 0.25, 0.9  # shares of the silhouette that must lie in the picture, to go on and to find
_GONE_INSIDE = 0.5  # a lost target of which less would lie in the picture has left it: its place cannot be known
# How far from its predicted place a lost target is searched: at first, more with each frame, and at most in widths.
_SEARCH_PX, _SEARCH_GROWTH_PX, _SEARCH_WIDTHS = 3.0, 0.5, 0.5
# Of a confidence's log-odds. Fitted to 3,077 masks in 40 videos of `pixelrs measure-tracking`, scene seeds from 930,000
# on; others are reported.
_LOGISTIC = (-3.2, 4.8, 3.1)
_SMOOTHING, _FRICTION = 0.8, 0.9  # of a target's velocity against the background, a frame


class TrackState(enum.Enum):
    """Whether a target is seen; the numbers are those of the message TrackedSegment."""

    TRACKED = 0
    LOST = 1  # not seen, or no longer surely the same thing


@dataclass(frozen=True)
class TrackedMask:
    """One target in one picture.

    Attributes:
        mask: (H, W) bool, its visible part; empty when it is lost.
        confidence: That this is still the target, in [0, 1]; at least `MIN_CONFIDENCE` when it is tracked.
        state: Whether it is tracked.
    """

    mask: np.ndarray
    confidence: float
    state: TrackState


class Tracker:
    """Follows targets over the pictures of one camera, given one by one. Not for several threads at once.

    Every target has a keyframe, the last picture that showed it well. Where it should be by now follows from how the
    background moved; dense flow between the keyframe and the picture says where exactly, and which of its pixels look
    and move like it. A target of which too little does is lost, and found again only near the place where it must be,
    so that its double elsewhere is not taken for it. After a cut or a jump of the camera, and once it has left the
    picture, nothing tells where that place is: it stays lost.

    Args:
        image: (H, W, 3) uint8 RGB, the picture that the masks belong to.
        masks: (H, W) bool, one a target.

    Raises:
        BadInputError: The picture is none, or a mask has another size.
    """

    def __init__(self, image: np.ndarray, masks: Sequence[np.ndarray]) -> None:
        shape = Frame(image).image.shape[:2]
        for mask in masks:
            if mask.shape != shape or mask.dtype != np.bool_:
                raise BadInputError(f"masks must be {shape} bool as the image, got {mask.shape} {mask.dtype}")
        self._shape = shape
        self._size = _working_size(*shape)
        self._flow = dense_flow()
        small = self._shrink(image)
        self._before = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        soft = (cv2.resize(mask.astype(np.float32), self._size, interpolation=cv2.INTER_AREA) for mask in masks)
        self._targets = [_Target(KeyFrame(small, mask)) for mask in soft]

    def update(self, image: np.ndarray) -> tuple[TrackedMask, ...]:
        """Follow the targets to the next picture; one of another size loses them all, until the size is back.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            One a target, in their order; the masks have the picture's size.

        Raises:
            BadInputError: The picture is none.
        """
        shape = Frame(image).image.shape[:2]
        motion = None
        if shape == self._shape:
            small = self._shrink(image)
            gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
            targets = np.zeros(gray.shape, np.bool_)
            for target in self._targets:
                targets |= cv2.dilate(target.support, np.ones((7, 7), np.uint8)) > 0.5
            measured = measure_motion(self._flow, self._before, gray, targets)
            # Else the next picture is compared with the same one again: the camera may have been dark for a moment.
            if measured.trust >= _MIN_TRUST:
                self._before, motion = gray, measured
        results = []
        for target in self._targets:
            if motion is None:
                target.miss()
                results.append(_lost(shape, 0.0))
                continue
            visible = target.follow(small, motion)
            tracked = target.state is TrackState.TRACKED and visible.any()
            results.append(
                TrackedMask(self._enlarge(visible), target.confidence, TrackState.TRACKED)
                if tracked
                else _lost(shape, min(target.confidence, np.nextafter(MIN_CONFIDENCE, 0)))
            )
        return tuple(results)

    def _shrink(self, image: np.ndarray) -> np.ndarray:
        return cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)

    def _enlarge(self, mask: np.ndarray) -> np.ndarray:
        height, width = self._shape
        enlarged: np.ndarray = cv2.resize(mask.astype(np.float32), (width, height)) > 0.5
        return enlarged


def _lost(shape: tuple[int, ...], confidence: float) -> TrackedMask:
    return TrackedMask(np.zeros(shape, np.bool_), float(confidence), TrackState.LOST)


def _working_size(height_px: int, width_px: int) -> tuple[int, int]:
    """Width and height in px."""
    scale = min(1.0, _LONGEST_SIDE_PX / max(height_px, width_px))
    return max(_SHORTEST_SIDE_PX, round(width_px * scale)), max(_SHORTEST_SIDE_PX, round(height_px * scale))


class _Target:
    """One thing that is followed.

    Attributes:
        key: How it looked.
        support: (h, w) float32 in [0, 1], its whole silhouette in the last picture.
        state: Whether it is seen.
        confidence: That it is still the same.
    """

    def __init__(self, key: KeyFrame) -> None:
        self.key = key
        self.support = key.mask
        self.state = TrackState.TRACKED if key.area_px else TrackState.LOST
        self.confidence = 1.0
        self._matrix = self._expected = np.eye(3)  # from the keyframe: where it is, and where it must be
        self._velocity_px: np.ndarray = np.zeros(2)  # against the background, a frame
        self._share = 1.0  # of it that was seen
        self._inside = 1.0  # share of its silhouette that lay in the picture
        self._gone = False  # it has left the picture, for good as far as this can tell
        self._unseen = 0  # frames since it was seen
        self._age = 0  # frames since the keyframe

    def miss(self) -> None:
        """Nothing is known of this picture."""
        self._unseen += 1
        self.state, self.confidence, self._share = TrackState.LOST, 0.0, 0.0

    def follow(self, image: np.ndarray, motion: Motion) -> np.ndarray:
        """Go on to a picture; where it is visible there, (h, w) bool."""
        self._unseen += 1
        self._age += 1
        background = similarity_at(motion.background, apply(self._expected, self.key.center))
        drift = shift(*self._velocity_px) if self._unseen > 1 else np.eye(3)
        before, start = self._matrix, background @ self._matrix
        self._expected = drift @ background @ self._expected
        if self._unseen > 1:
            self._velocity_px = self._velocity_px * _FRICTION
        if self._share < _SEEN:
            start = self.key.search(image, self._expected, self._search_radius_px())
        match = self.key.match(image, start)
        if match is None:
            self.miss()
            self._gone = True
            self._matrix, self.support = self._expected, np.zeros_like(self.support)
            return self.support > 0.5
        # A thing that hides it moves otherwise, even if it looks the same.
        known = self.state is TrackState.TRACKED and self._share > _SEEN
        last = before @ np.linalg.inv(match.matrix) if known else np.linalg.inv(background)
        visible = match.visible & _moves(motion, last)
        self._judge(match, visible, background @ before)
        self.support = match.support
        if self._unseen == 0 and self._share > _ALL_SEEN and self._age >= _NEW_KEY_FRAMES:
            self._renew(image, match)
        return visible

    def _judge(self, match: Match, visible: np.ndarray, carried: np.ndarray) -> None:
        """Decide whether this is the target, and remember where it is.

        Args:
            match: What was found.
            visible: (h, w) bool, what of it looks and moves right.
            carried: (3, 3), where the background alone would have taken it.
        """
        area = float((match.support > 0.5).sum())
        whole = self.key.area_px * abs(float(np.linalg.det(match.matrix[:2, :2])))
        self._share = float(visible.sum()) / max(area, 1.0)
        place = apply(match.matrix, self.key.center)
        away_px = float(np.linalg.norm(place - apply(self._expected, self.key.center)))
        self.confidence = _confidence(self._share, match.agree)
        self._inside = area / max(whole, 1.0)
        followed = self.state is TrackState.TRACKED
        share, inside = (_KEPT, _MIN_INSIDE) if followed else (_FOUND, _FOUND_INSIDE)
        found = self._share > share and self._inside > inside and away_px < self._search_radius_px()
        found = found and not self._gone and self.confidence >= MIN_CONFIDENCE
        self._gone = self._gone or (not found and self._inside < _GONE_INSIDE)
        self.state = TrackState.TRACKED if found else TrackState.LOST
        self._matrix = match.matrix if found else self._expected
        if found and self._share > _SEEN:
            if self._unseen == 1 and self._share > _WELL_SEEN:
                moved = (place - apply(carried, self.key.center)).astype(np.float64)
                self._velocity_px = _SMOOTHING * self._velocity_px + (1 - _SMOOTHING) * moved
            self._expected, self._unseen = self._matrix, 0

    def _renew(self, image: np.ndarray, match: Match) -> None:
        """A new keyframe, unless the picture's border cuts the target."""
        if self._inside < 0.95:
            return
        self.key = KeyFrame(image, match.support)
        self._matrix = self._expected = np.eye(3)
        self._age = 0

    def _search_radius_px(self) -> float:
        """How far from where it must be it may be found: less sure by the frame, but never as far as a neighbor."""
        return max(1.0, min(_SEARCH_PX + _SEARCH_GROWTH_PX * self._unseen, _SEARCH_WIDTHS * self.key.width_px))


def _moves(motion: Motion, backward: np.ndarray) -> np.ndarray:
    """Which pixels, (h, w) bool, came from where a (3, 3) transform from this picture to the last says they did."""
    grid = pixel_grid(*motion.backward.shape[:2])
    moves: np.ndarray = np.abs(grid + motion.backward - apply(backward, grid)).max(axis=-1) < _OFF_MOTION_PX
    return moves


def _confidence(share: float, agree: float) -> float:
    """Probability that the mask's IoU with the target is at least 0.5.

    Args:
        share: Share of the silhouette that looks and moves like the target, in [0, 1].
        agree: Share of those pixels that one transform explains, in [0, 1].
    """
    return 1.0 / (1.0 + math.exp(-float(np.dot(_LOGISTIC, (1.0, share, agree)))))
