"""Sound as messages: our own, and those of audio_common_msgs where that is installed."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node
from std_msgs.msg import Header

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.msg import AudioChunk
from pixelrs_ros.ros.wire import qos
from pixelrs_ros.speech.audio import Pcm, checked_pcm

# Of audio_common_msgs, until an AudioInfo says otherwise: what its capture node sends unless it is told otherwise.
_CAPTURE_CHANNELS, _CAPTURE_RATE_HZ = 1, 16_000
_LITTLE_ENDIAN_16 = ("", "S16LE")
_WAVE = ("", "wave", "wav", "pcm", "raw")

try:
    from audio_common_msgs.msg import AudioDataStamped, AudioInfo
except ImportError:
    AudioDataStamped = AudioInfo = None

OnSound = Callable[[Header, Pcm], None]
OnProblem = Callable[[str], None]


def pcm_of(message: AudioChunk) -> Pcm:
    """The sound of a message.

    Raises:
        BadInputError: See `checked_pcm`.
    """
    return checked_pcm(np.frombuffer(message.data, np.int16), message.channels, message.sample_rate)


def fill_chunk(message: AudioChunk, header: Header, pcm: Pcm) -> AudioChunk:
    """Fill a message with sound."""
    message.header = header
    message.sample_rate, message.channels = pcm.rate_hz, pcm.samples.shape[1]
    data: array[int] = array("h")
    data.frombytes(np.ascontiguousarray(pcm.samples).tobytes())
    message.data = data
    return message


class CommonSound:
    """Sound as audio_common's capture node sends it: raw 16-bit samples, and once what they are like."""

    def __init__(self) -> None:
        self._channels, self._rate_hz = _CAPTURE_CHANNELS, _CAPTURE_RATE_HZ
        self._problem = ""

    def describe(self, info: Any) -> None:
        """Take an AudioInfo."""
        self._channels, self._rate_hz = info.channels, info.sample_rate
        is_raw = info.sample_format in _LITTLE_ENDIAN_16 and info.coding_format.lower() in _WAVE
        what = f"{info.sample_format!r}, {info.coding_format!r}"
        self._problem = "" if is_raw else f"audio_data must be S16LE in wave, got {what}; set format to wave"

    def pcm(self, message: Any) -> Pcm:
        """The sound of an AudioDataStamped.

        Raises:
            BadInputError: It is not raw 16-bit sound.
        """
        if self._problem:
            raise BadInputError(self._problem)
        data = bytes(message.audio.data)
        if len(data) % 2:
            raise BadInputError(f"audio_data holds {len(data)} bytes, which are no 16-bit samples")
        samples = np.frombuffer(data, np.dtype("<i2")).astype(np.int16)
        return checked_pcm(samples, self._channels, self._rate_hz)


def listen(node: Node, on_sound: OnSound, on_problem: OnProblem) -> list[str]:
    """Subscribe a node to every topic of sound.

    Args:
        node: Whose subscriptions.
        on_sound: Called with each piece's header and sound.
        on_problem: Called with what is wrong with a piece that cannot be used.

    Returns:
        The topics.
    """

    def taken(convert: Callable[[Any], Pcm]) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            try:
                pcm = convert(message)
            except BadInputError as error:
                on_problem(str(error))
                return
            on_sound(message.header, pcm)

        return take

    qos.subscribe(node, AudioChunk, "audio", taken(pcm_of), qos.INSTRUCTIONS)
    if AudioDataStamped is None or sys.byteorder != "little":
        return ["audio"]
    common = CommonSound()
    qos.subscribe(node, AudioDataStamped, "audio_data", taken(common.pcm), qos.INSTRUCTIONS)
    qos.subscribe(node, AudioInfo, "audio_info", common.describe)
    return ["audio", "audio_data"]
