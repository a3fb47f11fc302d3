"""Tells speech from other sounds with Silero VAD."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.speech.audio import RATE_HZ
from pixelrs_ros.speech.extra import folder_of, require

WINDOW = 512  # samples of 16 kHz, what the network takes at once
_CONTEXT = 64  # samples before them, which it is shown too
_STATE = (2, 1, 128)
_REMEDY = "pip install --no-deps -r requirements/speech_detector.txt"


class SileroDetector:
    """The network of Silero VAD, run by ONNX Runtime on one thread: 32 ms of sound take well below 1 ms.

    Its own package is not imported, for that imports torch.

    Raises:
        ConfigError: silero-vad or onnxruntime is not installed.
    """

    def __init__(self) -> None:
        path = folder_of("silero_vad", _REMEDY) / "data" / "silero_vad.onnx"
        onnxruntime = require("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self._network = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._rate = np.array(RATE_HZ, np.int64)
        self.reset()

    def reset(self) -> None:
        """What comes next does not follow on what came."""
        self._state: np.ndarray = np.zeros(_STATE, np.float32)
        self._before: np.ndarray = np.zeros(_CONTEXT, np.float32)

    def probability(self, window: np.ndarray) -> float:
        """How likely somebody speaks in the next (`WINDOW`,) float32 samples of 16 kHz, in [0, 1]."""
        shown = np.concatenate((self._before, window))[None]
        output, self._state = self._network.run(None, {"input": shown, "state": self._state, "sr": self._rate})
        self._before = window[-_CONTEXT:]
        return float(output[0, 0])
