"""Recognizes speech with faster-whisper and a model folder that is already here."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.speech.extra import require
from pixelrs_ros.speech.heard import Heard

_FILES = ("model.bin", "config.json", "tokenizer.json")


class Whisper:
    """A Whisper model in CTranslate2's format. It gives no alternatives.

    Args:
        folder: Of the model: model.bin, config.json, tokenizer.json and its vocabulary.
        num_threads: CPU threads.

    Raises:
        ConfigError: faster-whisper is not installed, or the folder does not hold such a model.
    """

    def __init__(self, folder: Path, num_threads: int = 1) -> None:
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:  # without tokenizer.json, it would be fetched from the network
            raise ConfigError(f"{folder} lacks {', '.join(missing)} of a Whisper model in CTranslate2's format")
        whisper = require("faster_whisper", "faster-whisper", "pip install faster-whisper")
        try:
            self._model = whisper.WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=num_threads, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(f"{folder} cannot be loaded as a Whisper model: {error}") from error

    def recognize(self, samples: np.ndarray) -> Heard:
        """See `Recognizer`. The confidence is the mean probability of the words' tokens, times that of speech."""
        found, _ = self._model.transcribe(
            samples.astype(np.float32), language="en", condition_on_previous_text=False, without_timestamps=True
        )
        segments = list(found)
        text = " ".join(segment.text.strip() for segment in segments).strip()
        weights = [max(len(segment.tokens), 1) for segment in segments]
        if not text:
            return Heard("", 0.0)
        logprob = sum(w * segment.avg_logprob for w, segment in zip(weights, segments, strict=True)) / sum(weights)
        silence = max(segment.no_speech_prob for segment in segments)
        return Heard(text, min(max(math.exp(logprob) * (1.0 - silence), 0.0), 1.0))
