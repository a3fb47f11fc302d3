"""Sound as every part of the room takes it: one channel of 16 kHz, float32 in [-1, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.speech.extra import require

RATE_HZ = 16_000
MIN_RATE_HZ, MAX_RATE_HZ, MAX_CHANNELS = 4_000, 384_000, 64
_FULL_SCALE = 32_768.0


@dataclass(frozen=True)
class Pcm:
    """Sound as it is recorded and played.

    Attributes:
        samples: (N, channels) int16.
        rate_hz: Samples a second.
    """

    samples: np.ndarray
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate_hz


def checked_pcm(data: np.ndarray, channels: int, rate_hz: int) -> Pcm:
    """Interleaved samples as sound.

    Args:
        data: (N * channels,) int16.
        channels: How many are interleaved.
        rate_hz: Samples a second.

    Raises:
        BadInputError: The samples are no whole number of moments, or there is no such rate or number of channels.
    """
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadInputError(f"sound must have 1 to {MAX_CHANNELS} channels, got {channels}")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise BadInputError(f"sound must have {MIN_RATE_HZ} to {MAX_RATE_HZ} samples a second, got {rate_hz}")
    if len(data) % channels:
        raise BadInputError(f"{len(data)} samples are not a whole number of moments of {channels} channels")
    return Pcm(data.reshape(-1, channels), rate_hz)


class Resampler:
    """Brings pieces of sound that follow on each other to one channel of `RATE_HZ`, without seams between them."""

    def __init__(self) -> None:
        self._rate_hz = RATE_HZ
        self._stream: Any = None

    def __call__(self, pcm: Pcm) -> np.ndarray:
        """(M,) float32, up to some tens of milliseconds late where the rate is another; the mean of the channels.

        Raises:
            ConfigError: The rate is another, and soxr is not installed.
        """
        mono = pcm.samples.mean(axis=1, dtype=np.float32) / np.float32(_FULL_SCALE)
        if pcm.rate_hz != self._rate_hz:
            self._rate_hz = pcm.rate_hz
            self.reset()
        if pcm.rate_hz == RATE_HZ:
            return mono
        if self._stream is None:
            self._stream = require("soxr").ResampleStream(pcm.rate_hz, RATE_HZ, 1, dtype="float32", quality="LQ")
        resampled: np.ndarray = self._stream.resample_chunk(mono)
        return resampled

    def reset(self) -> None:
        """What comes next does not follow on what came."""
        self._stream = None


def to_pcm(samples: np.ndarray, rate_hz: int = RATE_HZ) -> Pcm:
    """(N,) float samples in [-1, 1] as sound of one channel; what is louder is clipped."""
    scaled = np.clip(samples * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE - 1)
    return Pcm(np.round(scaled).astype(np.int16)[:, None], rate_hz)
