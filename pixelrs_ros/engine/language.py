"""Running the language model over a key-value cache that can be taken back to an earlier position."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import torch
from transformers import DynamicCache, PreTrainedConfig, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from pixelrs_ros.engine.llama_step import LlamaStep

KeysValuesT = TypeVar("KeysValuesT")


class LanguageRunner(Protocol[KeysValuesT]):
    """One way to run the language model; its keys and values stay opaque to everybody else."""

    def empty(self) -> KeysValuesT:
        """Keys and values of no token."""

    def crop(self, keys_values: KeysValuesT, length: int) -> bool:
        """Keep the first `length` positions only; False when that is impossible and they must be computed anew."""

    def extend(self, keys_values: KeysValuesT, embeddings: Any, /) -> torch.Tensor:
        """Read more tokens.

        Args:
            keys_values: Those of the tokens before; extended in place.
            embeddings: (1, L, H) float, or what else this runner reads.

        Returns:
            (1, L, H) float last hidden states.
        """


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer with room to grow.

    transformers' own layer copies all of them for every token, half of a small model's time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._room: list[torch.Tensor] = []

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(1, heads, L, D) float each, appended; returns all, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        if not self._room or end > self._room[0].shape[-2]:
            self._room = [_with_room(2 * end, *pair) for pair in ((self.keys, key_states), (self.values, value_states))]
        for room, new in zip(self._room, (key_states, value_states), strict=True):
            room[..., begin:end, :] = new
        self.keys, self.values = (room[..., :end, :] for room in self._room)
        return self.keys, self.values


def _with_room(length: int, kept: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    room = like.new_empty((*like.shape[:-2], length, like.shape[-1]))
    if kept is not None and kept.numel():
        room[..., : kept.shape[-2], :] = kept
    return room


class RoomyRunner:
    """The part of a `LanguageRunner` that is the same for all that keep transformers' own cache, with room to grow.

    Args:
        config: The language model's.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        self._config = config

    def empty(self) -> DynamicCache:
        """Keys and values of no token."""
        cache = DynamicCache(config=self._config)
        # Layers of other kinds, such as sliding windows, keep transformers' own.
        cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
        return cache

    def crop(self, keys_values: DynamicCache, length: int) -> bool:
        """Keep the first `length` positions only; False for models whose state cannot go back."""
        surplus = keys_values.get_seq_length() - length
        if surplus > 0:
            # A sliding window has forgotten what it would need, a recurrent state cannot be undone.
            if not all(isinstance(layer, RoomyLayer) for layer in keys_values.layers):
                return False
            keys_values.crop(-surplus)
        return True


class EagerLanguage(RoomyRunner):
    """The language model as transformers runs it.

    Args:
        language: The language model.
        step: Runs it for a single token, faster; None leaves that to transformers too.
    """

    def __init__(self, language: PreTrainedModel, step: LlamaStep | None = None) -> None:
        super().__init__(language.config)
        self._language = language
        self._step = step

    def extend(self, keys_values: DynamicCache, embeddings: torch.Tensor, /) -> torch.Tensor:
        """(1, L, H) float embeddings -> (1, L, H) float last hidden states."""
        single = embeddings.shape[1] == 1
        if self._step is not None and single and keys_values.get_seq_length() < self._step.max_tokens:
            return self._step(keys_values, embeddings).unsqueeze(1)
        model = self._language.base_model
        output = model(inputs_embeds=embeddings, past_key_values=keys_values, use_cache=True)
        return output.last_hidden_state
