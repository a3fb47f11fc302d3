"""Real speech for tests: said by espeak-ng, and sent in pieces as a microphone would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from pixelrs_ros.speech.audio import RATE_HZ, Resampler, to_pcm
from pixelrs_ros.speech.voice import EspeakVoice

NS_PER_S = 1_000_000_000
PIECE = 800  # samples of 16 kHz: 50 ms

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@cache
def said(text: str, voice: str = "en-us", rate_wpm: int = 150) -> np.ndarray:
    """(N,) float32 of 16 kHz: speech without the silence around it, with a room's faint noise."""
    sound = Resampler()(EspeakVoice(voice, rate_wpm).say(text))
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1] + 1] + quiet(len(sound))[loud[0] : loud[-1] + 1]


def quiet(count: int) -> np.ndarray:
    """So many samples of a room in which nobody speaks."""
    return np.random.default_rng(count).normal(0.0, 1e-3, count).astype(np.float32)


def pause(seconds: float) -> np.ndarray:
    return quiet(round(seconds * RATE_HZ))


def pieces(sound: np.ndarray, start_ns: int) -> Iterator[tuple[np.ndarray, int]]:
    """Pieces of 50 ms and the stamp of each."""
    for first in range(0, len(sound), PIECE):
        yield sound[first : first + PIECE], start_ns + first * NS_PER_S // RATE_HZ


def pcm(sound: np.ndarray) -> bytes:
    return to_pcm(sound).samples.tobytes()
