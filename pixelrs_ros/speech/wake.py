"""Who is spoken to: a wake phrase in the words, or a wake word in the sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.speech.audio import to_pcm
from pixelrs_ros.speech.extra import require
from pixelrs_ros.speech.phrasings import spoken_words

_FRAME = 1280  # samples of 16 kHz that openWakeWord takes at once
_THRESHOLD = 0.5  # of its score, as its authors advise


def after_phrase(text: str, phrase: str) -> str | None:
    """What was said after a wake phrase with which it begins; None where it does not begin with it."""
    said, wanted = spoken_words(text), spoken_words(phrase)
    return " ".join(said[len(wanted) :]) if said[: len(wanted)] == wanted else None


class WakeWord:
    """Listens for a wake word with openWakeWord.

    Args:
        path: Its model, a file .onnx.

    Raises:
        ConfigError: openWakeWord is not installed, or the file is no model of it.
    """

    def __init__(self, path: str) -> None:
        if not Path(path).is_file():
            raise ConfigError(f"{path} is missing; a wake word is an .onnx file of openWakeWord")
        model = require("openwakeword.model", "openwakeword", "pip install openwakeword")
        try:
            self._model = model.Model(wakeword_models=[path], inference_framework="onnx")
        except Exception as error:  # whatever ONNX Runtime raises, or a file of its own that it lacks
            raise ConfigError(f"{path} cannot be loaded as a wake word: {error}") from error
        self._left = np.zeros(0, np.float32)

    def hears(self, samples: np.ndarray) -> bool:
        """Whether the wake word ends in the next piece of sound, (N,) float32 of 16 kHz."""
        sound = np.concatenate((self._left, samples))
        count = len(sound) // _FRAME
        self._left = sound[count * _FRAME :]
        heard = False
        for index in range(count):
            frame = to_pcm(sound[index * _FRAME : (index + 1) * _FRAME]).samples[:, 0]
            heard |= max(self._model.predict(frame).values()) >= _THRESHOLD
        return heard
