"""Memory and speed of every size on one device, from random weights: what a weight is does not change the times."""

from __future__ import annotations

import gc
import json
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer

from pixelrs_ros.benchmark.engines import DIALOGUE, ForcedEngine, random_network, shipped_network
from pixelrs_ros.benchmark.measure import picture
from pixelrs_ros.config import PRESETS_DIR, VlmConfig
from pixelrs_ros.engine.answerer import Answerer
from pixelrs_ros.engine.backends import Backend, quantize
from pixelrs_ros.engine.ending import ms_since
from pixelrs_ros.engine.session import Session
from pixelrs_ros.engine.vlm.answer import START
from pixelrs_ros.engine.vlm.chat import PROMPT, SPECIAL
from pixelrs_ros.engine.vlm.engine import VlmEngine
from pixelrs_ros.engine.vlm.qwen import Qwen
from pixelrs_ros.engine.vlm.sam import PromptedSam
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.settings import read_yaml
from pixelrs_ros.shipped import CHECKPOINTS_DIR, PUBLISHED
from pixelrs_ros.text.tokenizer import train_tokenizer
from pixelrs_ros.types import Frame, Reply, Segment, Utterance

COLUMNS = (
    "name", "language weights", "parameters", "weights [GB]", "peak [GB]", "encode [ms]", "first token [ms]",
    "first mask [ms]", "turn [ms]", "tokens/s",
)  # fmt: skip
SIZES = Path(__file__).with_name("sizes.yaml")
_GROUNDED = (0, 3)  # turns of `DIALOGUE`
_EDGES = {"shortest_edge": 65_536, "longest_edge": 16_777_216}  # of Qwen's pictures, in pixels


def _published() -> dict[str, tuple[str, str]]:
    """Names of `pixelrs fetch` whose parts' sizes are known here, and those parts."""
    sizes = read_yaml(SIZES)
    parts = {name: weights["parts"] for name, weights in read_yaml(PUBLISHED)["weights"].items()}
    return {
        name: (roles["vlm"], roles["sam"])
        for name, roles in parts.items()
        if roles.keys() == {"vlm", "sam"} and sizes.keys() >= set(roles.values())
    }


VLM_SAM = _published()


def names() -> list[str]:
    """What can be measured."""
    return [*sorted(path.stem for path in PRESETS_DIR.glob("*.yaml")), *VLM_SAM]


@dataclass
class Loaded:
    """An answerer that says `DIALOGUE`, and how many parameters it has."""

    answerer: Answerer
    parameters: int


def load(name: str, device: str, language_weights: str = "full") -> Loaded:
    """A network of a size on a device: shipped weights where there are some, else random ones.

    Args:
        name: One of `names()`.
        device: A torch device; on a GPU weights are bf16.
        language_weights: "full", "int8" or "int4".

    Raises:
        ConfigError: The name is unknown, or the device lacks the memory or the means.
    """
    if name not in names():
        raise ConfigError(f"unknown size {name!r}; known: {', '.join(names())}")
    try:
        if name in VLM_SAM:
            return _load_vlm(name, device, language_weights)
        is_shipped = (CHECKPOINTS_DIR / name).is_dir()
        network = shipped_network(name, device) if is_shipped else random_network(name, device)
        parameters = sum(one.numel() for one in network[0].parameters())
        return Loaded(ForcedEngine(network, Backend(language_weights=language_weights)), parameters)
    except torch.OutOfMemoryError as error:
        raise ConfigError(f"{name} does not fit on {device}: {str(error).splitlines()[0]}") from error


def measure(name: str, device: str, repeats: int, language_weights: str = "full") -> dict[str, Any]:
    """One size.

    Args:
        name: See `names`.
        device: A torch device.
        repeats: Dialogues of two grounded turns about a new 640x480 picture that count, after one that does not.
        language_weights: "full", "int8" or "int4".

    Returns:
        Parameters; gigabytes (10^9 bytes) of the weights and at the peak; median milliseconds of a picture's encoding,
        of what then passes until the first token, until the first mask and in the whole turn; tokens per second.

    Raises:
        ConfigError: See `load`.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device {device!r} cannot be used: there is no GPU here; remedy: --device cpu")
    _forget(device)
    loaded = load(name, device, language_weights)
    held = _held(device)
    turns: list[_Turn] = []
    for seed in range(repeats + 1):
        turns += _dialogue(loaded.answerer, picture(seed))
    counted = turns[len(_GROUNDED) :]
    firsts = counted[:: len(_GROUNDED)]

    def median(of: Callable[[_Turn], float], among: list[_Turn]) -> float:
        return round(float(np.median([of(turn) for turn in among])), 2)

    return {
        "parameters": loaded.parameters,
        "weights [GB]": round(held / 1e9, 2),
        "peak [GB]": round(_peak(device) / 1e9, 2),
        "encode [ms]": median(lambda turn: turn.reply.latency_ms["encode"], firsts),
        "first token [ms]": median(lambda turn: turn.reply.latency_ms["prefill"], firsts),
        "first mask [ms]": median(lambda turn: turn.first_mask_ms, firsts),
        "turn [ms]": median(lambda turn: turn.reply.latency_ms["total"], firsts),
        "tokens/s": median(lambda turn: 1000 * (turn.tokens - 1) / turn.reply.latency_ms["generate"], counted),
    }


@dataclass
class _Turn:
    reply: Reply
    tokens: int
    first_mask_ms: float


def _dialogue(answerer: Answerer, image: np.ndarray) -> Iterator[_Turn]:
    """The two grounded turns of `DIALOGUE` about a picture that has not been seen; the words are forced."""
    session = Session(answerer)
    for place in _GROUNDED:
        text, answer = DIALOGUE[place]
        if isinstance(answerer, _ForcedVlm):
            answerer.say(answer)
        words: list[str] = []
        masks_ms: list[float] = []
        started = time.perf_counter()

        def on_segment(_: Segment, masks_ms: list[float] = masks_ms, started: float = started) -> None:
            masks_ms.append(ms_since(started))

        reply = session.say(Utterance(text), Frame(image), words.append, on_segment)
        yield _Turn(reply, len(words), masks_ms[0])


class _ForcedVlm(VlmEngine):
    """Computes as if it spoke by itself and says what it is told."""

    _script: Iterator[int] = iter(())

    def say(self, answer: str) -> None:
        """Make the next answer this one, as JSON with a box for its phrase."""
        words = answer.replace("[OBJ]", "").replace("[SEG]", "").strip()
        phrase = answer.partition("[OBJ]")[2].partition("[SEG]")[0].strip()
        things = [{"phrase": phrase, "bbox_2d": [200, 200, 400, 400], "point_2d": [300, 300]}]
        raw = json.dumps({"say": words, "ask": False, "objects": things}).removeprefix(START)
        self._script = chain(self.chat.tokenizer.encode(raw).ids, repeat(self.chat.end_id))

    def _greedy(self, logits: torch.Tensor) -> tuple[int, float]:
        _, probability = super()._greedy(logits)
        return next(self._script), probability


def count(name: str) -> int:
    """Parameters of a vision-language model with its SAM, without making them."""
    with torch.device("meta"):
        models = [of._from_config(configuration) for of, configuration in _parts(name, dict.fromkeys(SPECIAL, 0))]
    return sum(one.numel() for model in models for one in model.parameters())


def _parts(name: str, ids: dict[str, int]) -> list[tuple[Any, Any]]:
    """Class and configuration of the vision-language model and of its SAM."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Sam2Config,
        Sam2Model,
    )

    language, sam = (read_yaml(SIZES)[part] for part in VLM_SAM[name])
    special = {
        "image_token_id": ids["<|image_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }
    text = {**language["text"], "bos_token_id": None, "eos_token_id": ids["<|im_end|>"], "pad_token_id": None}
    families: dict[str, tuple[Any, Any]] = {
        "qwen3_vl": (Qwen3VLForConditionalGeneration, Qwen3VLConfig),
        "qwen2_5_vl": (Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLConfig),
    }
    of, configuration = families[language["family"]]
    ties = {"tie_word_embeddings": text["tie_word_embeddings"]}
    widths = sam["embed_dim_per_stage"][::-1]
    vision = {"backbone_config": {"model_type": "sam2_hiera_det_model", **sam}, "backbone_channel_list": widths}
    return [
        (of, configuration(text_config=text, vision_config=language["vision"], **ties, **special)),
        (Sam2Model, Sam2Config(vision_config=vision)),
    ]


def _load_vlm(name: str, device: str, language_weights: str) -> Loaded:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    tokenizer = _tokenizer()
    parts = _parts(name, {spelled: tokenizer.token_to_id(spelled) or 0 for spelled in SPECIAL})
    dtype = Backend().dtype(torch.device(device))
    language, sam = (_random(*part, device, dtype) for part in parts)
    parameters = sum(one.numel() for model in (language, sam) for one in model.parameters())
    if language_weights != "full":
        quantize(language.model.language_model, language_weights)
    patch = language.config.vision_config.patch_size
    processor = Qwen2VLImageProcessorPil(size=_EDGES, patch_size=patch, temporal_patch_size=2, merge_size=2)
    config = VlmConfig(kind="vlm")
    qwen = Qwen(language, processor, config.max_pixels)
    return Loaded(_ForcedVlm(qwen, tokenizer, PromptedSam(sam), config, f"{name} on {device}"), parameters)


def _random(of: Any, configuration: Any, device: str, dtype: torch.dtype) -> Any:
    """A model with the weights that transformers begins to train with, made where it stays."""
    torch.manual_seed(0)
    with torch.device(device):
        model = of._from_config(configuration, dtype=dtype)
    return model.to(device).requires_grad_(False).eval()


def _tokenizer() -> Tokenizer:
    """A small one that writes what is said here in about as many tokens as a large one."""
    texts = [PROMPT.read_text(encoding="utf-8"), *chain.from_iterable(DIALOGUE)]
    tokenizer = train_tokenizer(texts, vocab_size=1000)
    tokenizer.add_special_tokens([AddedToken(spelled, special=True, normalized=False) for spelled in SPECIAL])
    return tokenizer


def _forget(device: str) -> None:
    """Give back what an earlier network held."""
    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def _held(device: str) -> int:
    """Bytes in use now: of the GPU's memory, or of this process's."""
    return torch.cuda.memory_allocated(device) if device.startswith("cuda") else _peak(device)


def _peak(device: str) -> int:
    """Most bytes that were in use: of the GPU's memory, or of this process's, what came before included."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
