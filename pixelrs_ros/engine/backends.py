"""What runs a loaded network: torch, torch with compiled decoding, or ONNX Runtime; in which precision."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pixelrs_ros.checkpoint import CONFIG
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.language import EagerLanguage, LanguageRunner
from pixelrs_ros.engine.llama_step import llama_step
from pixelrs_ros.engine.static_language import StaticLanguage
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.model.onnx_parts import use_onnx

ONNX, MANIFEST = "onnx", "export.json"
BACKENDS = ("torch", "torch_compiled", "onnx")
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
LANGUAGE_WEIGHTS = ("full", "int8", "int4")


@dataclass(frozen=True)
class Backend:
    """How to run a network.

    Attributes:
        name: One of `BACKENDS`.
        precision: One of `PRECISIONS`, or "auto": fp32 on a CPU, bf16 on a GPU that computes in it, else fp16.
        language_weights: One of `LANGUAGE_WEIGHTS`; all but "full" need torchao.
        onnx_dir: Where `pixelrs export` wrote, for "onnx".

    Raises:
        ConfigError: A value is none of these.
    """

    name: str = "torch"
    precision: str = "auto"
    language_weights: str = "full"
    onnx_dir: Path | None = None

    def __post_init__(self) -> None:
        for what, value, known in (
            ("backend", self.name, BACKENDS),
            ("precision", self.precision, ("auto", *PRECISIONS)),
            ("language_weights", self.language_weights, LANGUAGE_WEIGHTS),
        ):
            if value not in known:
                raise ConfigError(f"{what} must be one of {', '.join(known)}, got {value!r}")

    def prepare(
        self, miras: Miras, config: MirasConfig, device: torch.device, num_threads: int
    ) -> tuple[LanguageRunner[Any], str]:
        """Make a network run this way.

        Args:
            miras: Changed in place.
            config: Its sizes.
            device: Where it lies.
            num_threads: On the CPU.

        Returns:
            What runs its language model, and the whole in words.

        Raises:
            ConfigError: A library is missing, the export is missing or of another checkpoint, or the language model
                cannot be run so.
        """
        dtype = self.dtype(device)
        # Not the buffers: positions and rotary frequencies blur in half precision.
        for parameter in miras.parameters():
            parameter.data = parameter.data.to(dtype)
        words = [f"{self.name} on {device}", f"{str(dtype).removeprefix('torch.')}"]
        if self.language_weights != "full":
            quantize(miras.language.base_model, self.language_weights)
            words.append(f"{self.language_weights} weights of the language model")
        if self.name == "onnx":
            assert self.onnx_dir is not None
            providers = use_onnx(miras, self.onnx_dir, device, num_threads)
            words.append(f"execution providers {', '.join(providers)}")
        if self.name == "torch_compiled":
            return StaticLanguage(miras.language, config.text.max_context_tokens), ", ".join(words)
        return EagerLanguage(miras.language, llama_step(miras.language)), ", ".join(words)

    def dtype(self, device: torch.device) -> torch.dtype:
        """Of the weights and of what is computed with them on a device."""
        if self.precision != "auto":
            return PRECISIONS[self.precision]
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


TORCH = Backend()


def quantize(language: nn.Module, weights: str) -> None:
    """Quantize a language model's linear layers in place with torchao.

    Args:
        language: Without its head; changed in place.
        weights: "int8" or "int4".

    Raises:
        ConfigError: torchao is not installed, or cannot do this on the device.
    """
    try:
        from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, quantize_
    except ImportError as error:
        raise ConfigError(f"language_weights {weights} needs torchao; remedy: pip install torchao") from error
    chosen = {"int8": Int8WeightOnlyConfig, "int4": Int4WeightOnlyConfig}[weights]
    try:
        quantize_(language, chosen())
    except Exception as error:  # torchao raises many kinds; all mean that it cannot
        raise ConfigError(
            f"torchao cannot quantize this language model to {weights} here: {error}; remedy: language_weights full"
        ) from error


def fingerprint(checkpoint: Path) -> str:
    """Identity of a checkpoint folder's configuration and weights, in hexadecimal."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (checkpoint / CONFIG, *sorted(checkpoint.glob("model*.safetensors"))):
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def check_export(folder: Path, checkpoint: Path) -> None:
    """Find out whether a folder holds the complete export of a checkpoint.

    Raises:
        ConfigError: It does not; the message says how to make it.
    """
    remedy = f"remedy: pixelrs export --checkpoint {checkpoint} --out {folder}"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} holds no complete export: {error}; {remedy}") from error
    if manifest.get("checkpoint") != fingerprint(checkpoint):
        raise ConfigError(f"{folder} was exported from another checkpoint than {checkpoint}; {remedy}")
