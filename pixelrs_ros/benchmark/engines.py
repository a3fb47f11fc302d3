"""What is measured: the package as it is, and the same network the way the published code works."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import chain, repeat
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import DynamicCache

from pixelrs_ros.checkpoint import load_checkpoint
from pixelrs_ros.config import MirasConfig, load_preset
from pixelrs_ros.engine.backends import Backend
from pixelrs_ros.engine.background import Pending
from pixelrs_ros.engine.engine import Engine, OnSegment, OnStage, OnText
from pixelrs_ros.engine.frames import EncodedFrame
from pixelrs_ros.engine.language import EagerLanguage
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.tokenizer import train_tokenizer
from pixelrs_ros.types import Frame, Reply, Turn, Utterance

# What the user says and what the network is made to answer, turn after turn. Two answers ground a phrase in the middle.
DIALOGUE = (
    ("I am thirsty.", " You could drink from[OBJ] the red mug[SEG], or do you want something else?"),
    ("What else is there?", "[ASK] There is more than one. Which one do you want?"),
    ("Something that is not red.", "[ASK] I see two that would do. Which one?"),
    ("The left one. Where do I take it?", " This is[OBJ] the handle of the blue mug[SEG], to drink from."),
)
_ANSWERS = dict(DIALOGUE)
_RANDOM_STD = 0.02
_RANDOM_VOCABULARY = 32_000  # of presets that leave it to the tokenizer

Network = tuple[Miras, MirasConfig, Tokenizer]


def shipped_network(checkpoint: str, device: str) -> Network:
    """The network of a checkpoint.

    Raises:
        CheckpointError: It cannot be loaded.
    """
    return load_checkpoint(checkpoint, device)


def random_network(preset: str, device: str) -> Network:
    """A network of a preset's sizes with random weights, made on its device; half of the memory where that is a GPU.

    Raises:
        ConfigError: There is no such preset, or no such device.
    """
    config = load_preset(preset)
    texts = [*chain.from_iterable(DIALOGUE), *dataclasses.astuple(config.text.template)]
    tokenizer = train_tokenizer(texts, vocab_size=1000)
    vocabulary = config.language.arguments.get("vocab_size", _RANDOM_VOCABULARY)
    miras = build_miras(config, max(vocabulary, tokenizer.get_vocab_size()), empty=True)
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    try:
        for module in miras.modules():
            for name, parameter in module.named_parameters(recurse=False):
                values = torch.empty(parameter.shape, device=device, dtype=dtype).normal_(std=_RANDOM_STD)
                setattr(module, name, nn.Parameter(values, requires_grad=False))
        return miras.to(device).eval(), config, tokenizer
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"preset {preset!r} cannot be made on {device!r}: {error}") from error


class ForcedEngine(Engine):
    """Says the answers of `DIALOGUE`: teacher forcing, so that every run decodes the same tokens.

    The network computes as if it spoke by itself, down to the choice of each token, which is then replaced.
    """

    def __init__(self, network: Network, backend: Backend) -> None:
        super().__init__(*network, backend)
        self._script: Iterator[int] = repeat(self.layout.eos_id)
        self.choose = self._forced

    def answer(self, encoded: EncodedFrame, turns: Sequence[Turn], text: str, *args: Any, **kwargs: Any) -> Reply:
        """As `Engine.answer`, with the answer that `DIALOGUE` gives to the text."""
        self._script = chain(self.layout.answer(_ANSWERS[text]), repeat(self.layout.eos_id))
        return super().answer(encoded, turns, text, *args, **kwargs)

    def _forced(self, logits: torch.Tensor, *, first: bool) -> tuple[int, float]:
        probabilities = logits.float().softmax(dim=0)
        token = int(probabilities.argmax())
        return next(self._script), float(probabilities[token])


class _Inline:
    """Stands for `Background`: nothing runs beside anything else."""

    def submit(self, compute: Callable[[], torch.Tensor]) -> Pending:
        tensor = compute()
        if tensor.is_cuda:
            torch.cuda.synchronize(tensor.device)
        future: Future[Any] = Future()
        future.set_result((tensor, None))
        return Pending(future)


class _CopyingLanguage(EagerLanguage):
    """With transformers' own growing cache."""

    def empty(self) -> DynamicCache:
        return DynamicCache(config=self._language.config)


class InlineEngine(ForcedEngine):
    """With SAM's image encoder before everything else instead of beside it."""

    def __init__(self, network: Network, backend: Backend) -> None:
        super().__init__(network, backend)
        self._background = _Inline()  # type: ignore[assignment]


class PublishedEngine(InlineEngine):
    """The same network, one step after another, with transformers' own cache within a turn."""

    def __init__(self, network: Network, backend: Backend) -> None:
        super().__init__(network, dataclasses.replace(backend, name="torch"))
        self._language = _CopyingLanguage(self.miras.language)


class PublishedSession(Session):
    """Works as the published code does: every turn from nothing, and the masks when the answer is complete."""

    def say(
        self, utterance: Utterance, frame: Frame, on_text: OnText | None = None, on_segment: OnSegment | None = None,
        on_stage: OnStage | None = None,
    ) -> Reply:  # fmt: skip
        """As `Session.say`, keeping nothing but the words."""
        turns = self.turns(utterance.session_id)
        encoded = self.engine.encode(frame.image)
        reply = self.engine.answer(encoded, turns, utterance.text, on_text, self.max_new_tokens)
        self._remember(utterance, frame, reply)
        if on_segment is not None:
            for segment in reply.segments:
                on_segment(segment)
        return reply
