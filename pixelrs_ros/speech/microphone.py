"""The sound of a microphone of this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.speech.audio import RATE_HZ, Pcm
from pixelrs_ros.speech.extra import require

_PIECE_S = 0.05
_REMEDY = "pip install sounddevice, and apt-get install libportaudio2"


class Microphone:
    """Calls back with every piece of sound, in a thread of PortAudio.

    Args:
        device: Its number or a part of its name; empty: the default one.
        on_sound: Called with a piece and its age: how long ago its first sample was taken, in seconds.

    Raises:
        ConfigError: sounddevice is not installed, or there is no such microphone.
    """

    def __init__(self, device: str, on_sound: Callable[[Pcm, float], None]) -> None:
        sounddevice = require("sounddevice", remedy=_REMEDY)

        def listen(data: Any, frames: int, time: Any, status: Any) -> None:
            on_sound(Pcm(np.array(data, np.int16), RATE_HZ), time.currentTime - time.inputBufferAdcTime)

        try:
            self._stream = sounddevice.InputStream(
                samplerate=RATE_HZ, blocksize=round(_PIECE_S * RATE_HZ), channels=1, dtype="int16",
                device=_device(device), callback=listen,
            )  # fmt: skip
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise ConfigError(f"microphone {device or 'default'!r} cannot be opened: {error}") from error

    def close(self) -> None:
        """Listen no more."""
        self._stream.close()


class Loudspeaker:
    """Plays sound on the default loudspeaker of this machine.

    Raises:
        ConfigError: sounddevice is not installed.
    """

    def __init__(self) -> None:
        self._sounddevice = require("sounddevice", remedy=f"{_REMEDY}; or play: false, to publish the voice only")

    def play(self, pcm: Pcm) -> None:
        """Begin to play, instead of what is being played.

        Raises:
            ConfigError: There is no loudspeaker.
        """
        try:
            self._sounddevice.play(pcm.samples, pcm.rate_hz)
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise ConfigError(f"nothing can be played: {error}") from error

    def stop(self) -> None:
        """Be silent."""
        self._sounddevice.stop()


def _device(name: str) -> int | str | None:
    return int(name) if name.isdecimal() else name or None
