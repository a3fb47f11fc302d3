"""The image and the masks of a turn, in the form in which they are stored."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from pixelrs_ros.types import Segment

MAX_SIDE_PX = 100_000
_FASTEST = 1  # of zlib's levels: a mask is mostly runs, which all of them find


@dataclass(frozen=True)
class StoredMask:
    """One mask, packed.

    Attributes:
        phrase: The words of the answer that it grounds.
        score: Estimated IoU in [0, 1].
        height_px: The image's height.
        width_px: The image's width.
        bits: Row after row, eight pixels a byte, the first in the highest bit, deflated (RFC 1950).

    Raises:
        ValueError: The score lies outside of [0, 1], or a side is not one of 0 to `MAX_SIDE_PX`.
    """

    phrase: str
    score: float
    height_px: int
    width_px: int
    bits: bytes

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score must lie in [0, 1], got {self.score}")
        if not (0 <= self.height_px <= MAX_SIDE_PX and 0 <= self.width_px <= MAX_SIDE_PX):
            raise ValueError(f"a mask has sides of 0 to {MAX_SIDE_PX} px, got {self.height_px} and {self.width_px}")

    @classmethod
    def of(cls, segment: Segment) -> StoredMask:
        """Pack a segment's mask."""
        height_px, width_px = segment.mask.shape
        return cls(
            segment.phrase,
            segment.score,
            height_px,
            width_px,
            zlib.compress(np.packbits(segment.mask).tobytes(), _FASTEST),
        )

    def mask(self) -> np.ndarray:
        """(H, W) bool.

        Raises:
            ValueError: The bits are damaged.
        """
        count = self.height_px * self.width_px
        expected = -(-count // 8)
        deflated = zlib.decompressobj()
        try:
            # A few damaged bytes could unpack to more than any memory.
            packed = np.frombuffer(deflated.decompress(self.bits, expected + 1), np.uint8)
        except zlib.error as error:
            raise ValueError(f"the mask of {self.phrase!r} is damaged: {error}") from error
        if packed.size != expected or (count and not deflated.eof):
            raise ValueError(f"the mask of {self.phrase!r} is damaged: not {expected} bytes for {count} pixels")
        return np.unpackbits(packed, count=count).astype(np.bool_).reshape(self.height_px, self.width_px)


@dataclass(frozen=True)
class Evidence:
    """What is stored beside the words of a turn.

    Attributes:
        digest: Identity of the image, the same for the same pixels; empty where no image is kept.
        picture: The image as a JPEG file; None where none is kept, or the dialogue holds it under this digest already.
        masks: In the order of the answer's phrases.
    """

    digest: bytes = b""
    picture: bytes | None = None
    masks: tuple[StoredMask, ...] = ()
