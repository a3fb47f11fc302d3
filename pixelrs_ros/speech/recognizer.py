"""Which recognizers of speech there are. Their packages are imported when one is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.speech.heard import Recognizer
from pixelrs_ros.speech.sherpa import Sherpa
from pixelrs_ros.speech.sphinx import Sphinx
from pixelrs_ros.speech.whisper import Whisper

SPHINX, WHISPER, SHERPA = "sphinx", "whisper", "sherpa"
RECOGNIZERS = (SPHINX, WHISPER, SHERPA)


def open_recognizer(name: str, model_dir: str = "", phrases: Sequence[str] = (), num_threads: int = 1) -> Recognizer:
    """Load a recognizer.

    Args:
        name: One of `RECOGNIZERS`.
        model_dir: Folder of its model; PocketSphinx brings its own.
        phrases: What else may be said; only PocketSphinx has to be told.
        num_threads: CPU threads.

    Raises:
        ConfigError: There is no such recognizer, its package is not installed, or the folder does not hold a model of
            it. Nothing is ever downloaded.
    """
    if name == SPHINX:
        return Sphinx(phrases)
    if name not in RECOGNIZERS:
        raise ConfigError(f"recognizer must be one of {', '.join(RECOGNIZERS)}, got {name!r}")
    folder = Path(model_dir)
    if not model_dir or not folder.is_dir():
        raise ConfigError(f"model_dir: {model_dir!r} is no folder; {name!r} needs that of its model (docs/speech.md)")
    return Whisper(folder, num_threads) if name == WHISPER else Sherpa(folder, num_threads)
