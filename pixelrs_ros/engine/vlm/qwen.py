"""Qwen3-VL and Qwen2.5-VL as transformers have them: a picture's features, and the language model over a cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache

from pixelrs_ros.engine.language import RoomyRunner
from pixelrs_ros.errors import BadInputError


@dataclass(frozen=True)
class Look:
    """What the language model sees of a picture.

    Attributes:
        tokens: (P, H) float.
        deep: Further (P, H) features for the first layers of the language model; Qwen2.5-VL has none.
        grid: (1, 3) long: frames, rows and columns of patches.
        shown: (width, height) in px at which it was shown.
    """

    tokens: torch.Tensor
    deep: tuple[torch.Tensor, ...]
    grid: torch.Tensor
    shown: tuple[int, int]

    @property
    def num_bytes(self) -> int:
        """Memory of the features."""
        return sum(part.numel() * part.element_size() for part in (self.tokens, *self.deep))


@dataclass(frozen=True)
class Piece:
    """A stretch of a prompt for the language model.

    Attributes:
        embeddings: (1, L, H) float.
        positions: (3, 1, L) long: time, row and column.
        deep: As in `Look`, for the picture's tokens in this piece; empty where it holds none.
        is_picture: (1, L) bool.
    """

    embeddings: torch.Tensor
    positions: torch.Tensor
    deep: tuple[torch.Tensor, ...]
    is_picture: torch.Tensor


class Qwen(RoomyRunner):
    """The network, and the `LanguageRunner` over it.

    Attributes:
        model: transformers' own.
        processor: Its image processor.
        size: Least and most pixels that a picture is shown at, as the processor takes them.

    Args:
        model: transformers' `Qwen3VLForConditionalGeneration` or `Qwen2_5_VLForConditionalGeneration`.
        processor: Its image processor.
        max_pixels: A larger picture is shown at so many.
    """

    def __init__(self, model: Any, processor: Any, max_pixels: int) -> None:
        super().__init__(model.config.text_config)
        self.model = model
        self.processor = processor
        size = processor.size
        self.size = {"shortest_edge": size["shortest_edge"], "longest_edge": min(max_pixels, size["longest_edge"])}
        self.uses_thousandths = model.config.model_type == "qwen3_vl"

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        device: torch.device = self.model.device
        return device

    def look(self, image: np.ndarray) -> Look:
        """The features of an (H, W, 3) uint8 RGB image.

        Raises:
            BadInputError: It is too long and narrow to be shown.
        """
        try:
            given = self.processor(
                images=[image], size=self.size, input_data_format="channels_last", return_tensors="pt"
            )
        except ValueError as error:
            size = f"{image.shape[1]}x{image.shape[0]} px"
            raise BadInputError(f"the picture of {size} cannot be shown to the language model: {error}") from error
        grid = given["image_grid_thw"].to(self.device)
        seen = self.model.model.get_image_features(given["pixel_values"].to(self.device), grid)
        levels = getattr(seen, "deepstack_features", None) or ()
        deep = tuple(level if torch.is_tensor(level) else level[0] for level in levels)  # tensors before 5.20
        patch = self.model.config.vision_config.patch_size
        _, rows, columns = (int(n) for n in grid[0])
        return Look(seen.pooler_output[0], deep, grid, (columns * patch, rows * patch))

    def positions(self, ids: list[int], picture_id: int, look: Look) -> torch.Tensor:
        """(3, 1, L) long: of each token of a whole prompt."""
        tokens = torch.tensor([ids], device=self.device)
        kinds = (tokens == picture_id).int()
        positions: torch.Tensor = self.model.model.get_rope_index(
            input_ids=tokens, mm_token_type_ids=kinds, image_grid_thw=look.grid
        )[0]
        return positions

    def piece(self, ids: list[int], picture_id: int, look: Look, seen: int, positions: torch.Tensor) -> Piece:
        """A stretch of a prompt.

        Args:
            ids: Its tokens.
            picture_id: The token that stands for a piece of the picture.
            look: The picture.
            seen: How many of its tokens stand before this stretch.
            positions: (3, 1, L) long.
        """
        tokens = torch.tensor([ids], device=self.device)
        is_picture = tokens == picture_id
        embeddings = self.model.get_input_embeddings()(tokens)
        count = int(is_picture.sum())
        if count:
            embeddings[is_picture] = look.tokens[seen : seen + count].to(embeddings.dtype)
        deep = tuple(level[seen : seen + count] for level in look.deep) if count else ()
        return Piece(embeddings, positions, deep, is_picture)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(V,) float32, from the (1, H) hidden state that predicts the next token."""
        return self.model.lm_head(hidden)[0].float()

    def extend(self, keys_values: DynamicCache, piece: Piece, /) -> torch.Tensor:
        """Read more tokens; (1, L, H) float last hidden states."""
        deep = {"visual_pos_masks": piece.is_picture, "deepstack_visual_embeds": list(piece.deep)} if piece.deep else {}
        hidden: torch.Tensor = self.model.model.language_model(
            inputs_embeds=piece.embeddings, position_ids=piece.positions, past_key_values=keys_values, use_cache=True,
            **deep,
        ).last_hidden_state  # fmt: skip
        return hidden
