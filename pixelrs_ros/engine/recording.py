"""What is stored of a turn beside its words; its image is compressed while the network works."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np

from pixelrs_ros.dialogue.evidence import Evidence, StoredMask
from pixelrs_ros.types import Reply

JPEG_QUALITY = 95


class Recorder:
    """Compresses images in a thread of its own; JPEG, since PNG takes longer than some turns."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "pixelrs_jpeg")

    def begin(self, image: np.ndarray) -> Future[bytes | None]:
        """Compress an (H, W, 3) uint8 RGB image; None where the format cannot hold it."""
        return self._pool.submit(_jpeg, image)

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown()


def evidence_of(reply: Reply, digest: bytes, jpeg: Future[bytes | None] | None) -> Evidence:
    """Put together what is stored of a turn.

    Args:
        reply: The network's.
        digest: Identity of the image; empty where none is kept.
        jpeg: From `Recorder.begin`; None where the dialogue holds the image already, or none is kept.
    """
    picture = None if jpeg is None else jpeg.result()
    return Evidence(digest, picture, tuple(StoredMask.of(segment) for segment in reply.segments))


def _jpeg(image: np.ndarray) -> bytes | None:
    try:
        done, data = cv2.imencode(
            ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        )
    except cv2.error:  # a side of more than 65,500 px
        return None
    return data.tobytes() if done else None
