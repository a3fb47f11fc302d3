"""From a checkpoint's folder to what answers: the `kind` in its `config.yaml` says which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixelrs_ros.checkpoint import read_config
from pixelrs_ros.config import VlmConfig
from pixelrs_ros.engine.answerer import Answerer
from pixelrs_ros.shipped import resolve


def open_answerer(
    checkpoint: str | Path, device: str = "cpu", num_threads: int | None = None, **backend: Any
) -> Answerer:
    """Load whatever a checkpoint holds.

    Args:
        checkpoint: Folder, or the name of one that ships with the package or was fetched.
        device: A torch device.
        num_threads: CPU threads; None takes half of the CPUs.
        backend: `backend`, `precision`, `language_weights` and `onnx_dir` as `Engine.from_checkpoint` has them.

    Raises:
        CheckpointError: The checkpoint or the device cannot be used; the message says why.
        ConfigError: The checkpoint's configuration is wrong, or the backend cannot run it.
    """
    if isinstance(read_config(resolve(checkpoint)), VlmConfig):
        from pixelrs_ros.engine.vlm.engine import VlmEngine

        return VlmEngine.from_checkpoint(checkpoint, device, num_threads, **backend)
    from pixelrs_ros.engine.engine import Engine

    return Engine.from_checkpoint(checkpoint, device, num_threads, **backend)
