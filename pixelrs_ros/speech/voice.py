"""Says the robot's answers: with espeak-ng, or with Piper where it is installed."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Protocol

import numpy as np

from pixelrs_ros.errors import ConfigError, PixelrsError
from pixelrs_ros.speech.audio import Pcm, to_pcm
from pixelrs_ros.speech.extra import require

ESPEAK, PIPER = "espeak", "piper"
VOICES = (ESPEAK, PIPER)
DEFAULT_RATE_WPM = 160
_TIMEOUT_S = 30.0


class VoiceError(PixelrsError, RuntimeError):
    """Something could not be said; the message says why."""


class Voice(Protocol):
    """Turns words into sound."""

    def say(self, text: str) -> Pcm:
        """The sound of a text.

        Raises:
            VoiceError: It cannot be said.
        """


class EspeakVoice:
    """espeak-ng: every language, no files, a robot's voice.

    Args:
        name: Voice and variant, such as en-us or en-gb+f3.
        rate_wpm: Words a minute.

    Raises:
        ConfigError: espeak-ng is not installed, or has no such voice.
    """

    def __init__(self, name: str = "en-us", rate_wpm: int = DEFAULT_RATE_WPM) -> None:
        if shutil.which("espeak-ng") is None:
            raise ConfigError("espeak-ng is not installed; remedy: apt-get install espeak-ng")
        if subprocess.run(["espeak-ng", "-v", name, "-q", ""], capture_output=True).returncode:
            raise ConfigError(f"espeak-ng has no voice {name!r}; `espeak-ng --voices` lists those that it has")
        self._command = ["espeak-ng", "-v", name, "-s", str(rate_wpm), "--stdin", "--stdout"]

    def say(self, text: str) -> Pcm:
        """See `Voice`."""
        try:
            done = subprocess.run(self._command, input=text.encode(), capture_output=True, timeout=_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VoiceError(f"espeak-ng cannot say {text!r}: {error}") from error
        if done.returncode or not done.stdout:
            reason = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
            raise VoiceError(f"espeak-ng cannot say {text!r} ({' '.join(self._command)}): {reason}")
        return _read_wave(done.stdout)


class PiperVoice:
    """Piper: closer to a person's voice, from a model file.

    Args:
        path: The model, `<name>.onnx`, with `<name>.onnx.json` beside it.

    Raises:
        ConfigError: Piper is not installed, or there is no such model.
    """

    def __init__(self, path: str) -> None:
        for needed in (path, f"{path}.json"):
            if not Path(needed).is_file():
                raise ConfigError(
                    f"voice_name: {needed!r} is missing; a Piper voice is <name>.onnx and <name>.onnx.json"
                )
        piper = require("piper", "piper-tts", "pip install piper-tts")
        try:
            self._voice = piper.PiperVoice.load(path)
        except Exception as error:  # whatever ONNX Runtime and its reader of JSON raise
            raise ConfigError(f"{path} cannot be loaded as a Piper voice: {error}") from error

    def say(self, text: str) -> Pcm:
        """See `Voice`."""
        pieces = list(self._voice.synthesize(text))
        if not pieces:
            raise VoiceError(f"Piper cannot say {text!r}")
        return to_pcm(np.concatenate([piece.audio_float_array for piece in pieces]), pieces[0].sample_rate)


def open_voice(kind: str, name: str) -> Voice:
    """A voice of one of `VOICES`; `name`: for espeak a voice, empty for American English; for Piper a path.

    Raises:
        ConfigError: It is not installed, or there is no such voice.
    """
    if kind == ESPEAK:
        return EspeakVoice(name or "en-us")
    if kind == PIPER:
        return PiperVoice(name)
    raise ConfigError(f"the voice must be one of {', '.join(VOICES)}, got {kind!r}")


def _read_wave(data: bytes) -> Pcm:
    """The sound of a WAV file of 16 bits that was written to a pipe, so that its header does not know its length."""
    with wave.open(io.BytesIO(data)) as file:
        channels, rate_hz = file.getnchannels(), file.getframerate()
        frames = file.readframes(len(data) // (2 * channels))
    return Pcm(np.frombuffer(frames, np.int16).reshape(-1, channels), rate_hz)
