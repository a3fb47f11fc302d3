"""What the network keeps of pictures, as long as a dialogue refers to them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pixelrs_ros.engine.answerer import Seen
from pixelrs_ros.engine.background import Pending

_BYTES_PER_MB = 1_000_000


def picture_key(image: np.ndarray, *, blind: bool = False) -> bytes:
    """Identity of a picture: the same for the same pixels.

    Args:
        image: (H, W, 3) uint8 RGB in [0, 255].
        blind: Whether the language model is shown plain gray in its place.
    """
    digest = hashlib.blake2b(f"{image.shape} {blind}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


@dataclass(frozen=True)
class EncodedFrame:
    """What the network keeps of one picture.

    Attributes:
        key: Its identity, see `picture_key`.
        image_tokens: (1, P, H) for the language model.
        sam: The mask decoder's (1, C, h, w), which may still be being computed.
        height_px: The picture's height.
        width_px: The picture's width.
        encode_ms: How long the caller waited for it; SAM's image encoder, which runs in the background, not included.
        num_bytes: Memory of both tensors.
        detail: What the high-resolution encoder adds to SAM's embedding, (1, C, h, w) or None.
        novelty: How far it is from what the network was trained on, see `Familiarity.novelty`; 0: not known.
    """

    key: bytes
    image_tokens: torch.Tensor
    sam: Pending
    height_px: int
    width_px: int
    encode_ms: float
    num_bytes: int
    detail: torch.Tensor | None = None
    novelty: float = 0.0

    @property
    def sam_embedding(self) -> torch.Tensor:
        """(1, C, h, w) for the mask decoder; waits until it is there."""
        embedding: torch.Tensor = self.sam.result()
        return embedding if self.detail is None else embedding + self.detail


class FrameCache:
    """Encoded pictures, bounded in number and memory; the one that was not asked for longest leaves first.

    A picture also leaves as soon as no dialogue refers to it; every dialogue that asked for it does, until it is
    released.

    Args:
        max_frames: Pictures kept at once, at least 1.
        max_mb: Memory for them, in MB of 10^6 bytes; the newest picture is kept even if it is larger.

    Raises:
        ValueError: A bound is too small.
    """

    def __init__(self, max_frames: int, max_mb: float) -> None:
        self._frames: OrderedDict[bytes, Any] = OrderedDict()
        self._owners: dict[bytes, set[str]] = {}
        self.resize(max_frames, max_mb)

    def __len__(self) -> int:
        return len(self._frames)

    def __contains__(self, key: bytes) -> bool:
        """Whether a picture is kept; unlike `get`, this asks for nothing."""
        return key in self._frames

    @property
    def num_bytes(self) -> int:
        """Memory of what is kept."""
        return sum(frame.num_bytes for frame in self._frames.values())

    def resize(self, max_frames: int, max_mb: float) -> None:
        """Set new bounds, which hold at once. Arguments and errors are those of the class."""
        if max_frames < 1 or max_mb <= 0:
            raise ValueError(f"expected at least 1 frame and more than 0 MB, got {max_frames} frames, {max_mb} MB")
        self._max_frames = max_frames
        self._max_bytes = max_mb * _BYTES_PER_MB
        self._make_room()

    def session_ids(self) -> set[str]:
        """Dialogues that refer to a picture."""
        return set().union(*self._owners.values())

    def get(self, key: bytes, session_id: str) -> Any | None:
        """The picture, from now on also of this dialogue; None when it is not kept."""
        if key in self._frames:
            self._frames.move_to_end(key)
            self._owners[key].add(session_id)
        return self._frames.get(key)

    def put(self, frame: Seen, session_id: str) -> None:
        """Keep a picture that a dialogue refers to."""
        self._frames[frame.key] = frame
        self._owners.setdefault(frame.key, set()).add(session_id)
        self._make_room()

    def drop(self, key: bytes) -> None:
        """Forget a picture, whoever refers to it."""
        if self._frames.pop(key, None) is not None:
            del self._owners[key]

    def clear(self) -> None:
        """Forget every picture."""
        self._frames.clear()
        self._owners.clear()

    def release(self, session_id: str) -> None:
        """Forget the pictures that only this dialogue refers to."""
        for key, owners in list(self._owners.items()):
            owners.discard(session_id)
            if not owners:
                del self._owners[key], self._frames[key]

    def _make_room(self) -> None:
        while len(self._frames) > 1 and (len(self._frames) > self._max_frames or self.num_bytes > self._max_bytes):
            oldest, _ = self._frames.popitem(last=False)
            del self._owners[oldest]
