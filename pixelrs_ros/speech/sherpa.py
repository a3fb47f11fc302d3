"""Recognizes speech with sherpa-onnx and a model folder that is already here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.speech.audio import RATE_HZ
from pixelrs_ros.speech.extra import require
from pixelrs_ros.speech.heard import Heard


class Sherpa:
    """A transducer (encoder, decoder, joiner) or a Whisper (encoder, decoder) as sherpa-onnx ships them.

    Args:
        folder: Of the model: `*encoder*.onnx`, `*decoder*.onnx`, `*joiner*.onnx` where there is one, `*tokens.txt`.
        num_threads: CPU threads.

    Raises:
        ConfigError: sherpa-onnx is not installed, or the folder does not hold such a model.
    """

    def __init__(self, folder: Path, num_threads: int = 1) -> None:
        encoder, decoder = _file(folder, "*encoder*.onnx"), _file(folder, "*decoder*.onnx")
        tokens = _file(folder, "*tokens.txt")
        joiner = next(iter(sorted(folder.glob("*joiner*.onnx"))), None)
        sherpa = require("sherpa_onnx", "sherpa-onnx", "pip install sherpa-onnx")
        paths = {"encoder": str(encoder), "decoder": str(decoder), "tokens": str(tokens), "num_threads": num_threads}
        try:
            if joiner is None:
                self._recognizer = sherpa.OfflineRecognizer.from_whisper(**paths, language="en")
            else:
                self._recognizer = sherpa.OfflineRecognizer.from_transducer(**paths, joiner=str(joiner))
        except (RuntimeError, ValueError) as error:
            raise ConfigError(f"{folder} cannot be loaded by sherpa-onnx: {error}") from error

    def recognize(self, samples: np.ndarray) -> Heard:
        """See `Recognizer`. Where the model tells the probabilities of its tokens, their geometric mean, else 1."""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(RATE_HZ, samples.astype(np.float32))
        self._recognizer.decode_stream(stream)
        result = stream.result
        text = result.text.strip()
        if not text:
            return Heard("", 0.0)
        logs: Sequence[float] = getattr(result, "ys_log_probs", ())  # older releases do not tell them
        return Heard(text, min(math.exp(sum(logs) / len(logs)), 1.0) if len(logs) else 1.0)


def _file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: ("int8" not in path.name, path.name))  # the smaller one
    if not found:
        raise ConfigError(f"{folder} lacks {pattern} of a sherpa-onnx model")
    return found[0]
