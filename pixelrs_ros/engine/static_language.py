"""The language model with a static cache: one compiled decoding step, on a GPU replayed as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel, StaticCache
from transformers.cache_utils import StaticLayer

from pixelrs_ros.errors import ConfigError

_WARM_UP_STEPS = 3


@dataclass(eq=False)
class SavedKeysValues:
    """Keys and values of one dialogue.

    Attributes:
        length: Positions that count.
        layers: Per layer (1, heads, L, D) keys and values, L at least `length`; none while the static cache has them.
    """

    length: int = 0
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...] = ()


class StaticLanguage:
    """Runs all dialogues through one static cache, so that one graph serves them all.

    The dialogue that speaks owns the cache; when another one speaks, the keys and values are copied out and in.

    Args:
        language: A model with full attention in every layer.
        max_tokens: Longest context.

    Raises:
        ConfigError: The language model keeps something else than keys and values of all tokens.
    """

    def __init__(self, language: PreTrainedModel, max_tokens: int) -> None:
        self._language = language
        self._cache = StaticCache(config=language.config, max_cache_len=max_tokens)
        self._layers: list[Any] = self._cache.layers
        odd = {type(layer).__name__ for layer in self._layers if type(layer) is not StaticLayer}
        if odd:
            raise ConfigError(
                f"backend torch_compiled needs full attention in every layer, {language.config.model_type} has "
                f"{', '.join(sorted(odd))}; remedy: backend torch"
            )
        self._owner = SavedKeysValues()
        self._prepare()

    def empty(self) -> SavedKeysValues:
        """Keys and values of no token."""
        return SavedKeysValues()

    def crop(self, keys_values: SavedKeysValues, length: int) -> bool:
        """Keep the first `length` positions only; what lies behind is never looked at, so it may stay."""
        keys_values.length = min(keys_values.length, length)
        return True

    def extend(self, keys_values: SavedKeysValues, embeddings: torch.Tensor) -> torch.Tensor:
        """(1, L, H) float embeddings -> (1, L, H) float last hidden states."""
        self._make_owner(keys_values)
        step = self._step if embeddings.shape[1] == 1 else self._forward
        hidden = step(embeddings)
        keys_values.length += embeddings.shape[1]
        return hidden

    def _make_owner(self, keys_values: SavedKeysValues) -> None:
        if self._owner is not keys_values:
            previous, self._owner = self._owner, keys_values
            if previous.length:
                end = previous.length
                previous.layers = tuple(
                    (layer.keys[:, :, :end].clone(), layer.values[:, :, :end].clone()) for layer in self._layers
                )
            for layer, (keys, values) in zip(self._layers, keys_values.layers, strict=False):
                layer.keys[:, :, : keys.shape[2]] = keys
                layer.values[:, :, : values.shape[2]] = values
            keys_values.layers = ()
        for layer in self._layers:
            layer.cumulative_length.fill_(keys_values.length)

    def _forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        model = self._language.base_model
        return model(inputs_embeds=embeddings, past_key_values=self._cache, use_cache=True).last_hidden_state

    @torch.inference_mode()
    def _prepare(self) -> None:
        """Compile the step of one token, and record it where there is a GPU."""
        embedding: Any = self._language.get_input_embeddings()
        device = embedding.weight.device
        token = embedding(torch.zeros(1, 1, dtype=torch.long, device=device))
        self._forward(token)  # allocates the cache
        self._step: Callable[[torch.Tensor], torch.Tensor] = torch.compile(self._forward, dynamic=False)
        for _ in range(_WARM_UP_STEPS):
            self._step(token)
        if device.type == "cuda":
            self._step = RecordedStep(self._step, token)


class RecordedStep:
    """A step as a CUDA graph: one launch instead of one for every kernel.

    Recorded by hand and not through `torch.compile(mode="reduce-overhead")`, whose graphs belong to the thread that
    compiled them, while turns run in another.

    Args:
        step: (1, 1, H) -> (1, 1, H), already warmed up; what it writes stays at the same addresses.
        example: Its input.
    """

    def __init__(self, step: Callable[[torch.Tensor], torch.Tensor], example: torch.Tensor) -> None:
        self._input = example.clone()
        self._graph = torch.cuda.CUDAGraph()
        # SAM's image encoder may allocate memory in its own thread meanwhile.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._output = step(self._input)

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        """(1, 1, H) -> (1, 1, H), memory of its own."""
        self._input.copy_(embeddings)
        self._graph.replay()
        return self._output.clone()
