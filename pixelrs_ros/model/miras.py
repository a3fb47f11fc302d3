"""MIRAS: one or two vision encoders, a language model that emits `[SEG]`, SAM's mask decoder. Tensors only."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from pixelrs_ros.model.place import PlaceEmbedding, Pointer
from pixelrs_ros.model.reader import Reader
from pixelrs_ros.model.sam import Sam


class Detail(nn.Module):
    """What the high-resolution encoder sees, for SAM's mask decoder; from nothing at first."""

    def __init__(self, in_channels: int, out_channels: int, grid_size: int) -> None:
        super().__init__()
        self.grid_size = grid_size
        self.norm = nn.GroupNorm(1, in_channels)
        self.projector = nn.Conv2d(in_channels, out_channels, kernel_size=1)
        nn.init.zeros_(self.projector.weight)
        nn.init.zeros_(self.projector.bias)  # type: ignore[arg-type]  # it has one

    def forward(self, high: torch.Tensor) -> torch.Tensor:
        """(B, D, G, G) float high-resolution features -> (B, C, h, w) float, to be added to SAM's image embedding."""
        size = (self.grid_size, self.grid_size)
        return F.interpolate(self.projector(self.norm(high)), size=size, mode="bilinear", align_corners=False)


class Miras(nn.Module):
    """The whole network; parts are injected, `build.build_miras` assembles them.

    Letters in the shapes: B images, P image tokens an image, L tokens of text and image, H hidden size of the language
    model, N segmentation prompts, C channels of SAM's prompts.
    """

    def __init__(
        self,
        clip: nn.Module,
        convnext: nn.Module | None,
        fusion: nn.Module | None,
        projector: nn.Module,
        language: PreTrainedModel,
        segmentation_prompt: nn.Module,
        sam: Sam,
        pointer: Pointer | None = None,
        detail: Detail | None = None,
        reader: Reader | None = None,
    ) -> None:
        super().__init__()
        self.clip = clip
        self.convnext = convnext
        self.fusion = fusion
        self.projector = projector
        self.language = language
        self.segmentation_prompt = segmentation_prompt
        self.sam = sam
        self.pointer = pointer
        self.detail = detail
        self.reader = reader

    def look(
        self, clip_pixels: torch.Tensor, convnext_pixels: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """What both parts that see are given of a picture.

        Args:
            clip_pixels: (B, 3, S, S) float, normalized.
            convnext_pixels: (B, 3, T, T) float, normalized; None where there is no high-resolution encoder.

        Returns:
            (B, P, H) float image tokens, and what is to be added to SAM's image embedding, (B, C, h, w) float or None.
        """
        high = None if self.convnext is None else self.convnext(convnext_pixels)
        tokens = self.projector(self._fused(self.clip(clip_pixels), high))
        return tokens, None if self.detail is None else self.detail(high)

    def see(
        self, clip_pixels: torch.Tensor, convnext_pixels: torch.Tensor | None, sam_pixels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, side, side) float for each encoder -> (B, P, H) image tokens, (B, C, h, w) for the mask decoder."""
        tokens, detail = self.look(clip_pixels, convnext_pixels)
        embedding = self.sam.encode(sam_pixels)
        return tokens, embedding if detail is None else embedding + detail

    def fuse(self, clip_pixels: torch.Tensor, convnext_pixels: torch.Tensor | None) -> torch.Tensor:
        """(B, 3, S, S) and (B, 3, T, T) float, normalized -> (B, P, C_clip) float fused tokens; CLIP's own for None."""
        high = None if self.convnext is None or self.fusion is None else self.convnext(convnext_pixels)
        return self._fused(self.clip(clip_pixels), high)

    def _fused(self, low: torch.Tensor, high: torch.Tensor | None) -> torch.Tensor:
        return low if self.fusion is None else self.fusion(low, high)

    def encode_image(self, clip_pixels: torch.Tensor, convnext_pixels: torch.Tensor | None) -> torch.Tensor:
        """(B, 3, S, S) and (B, 3, T, T) float, normalized -> (B, P, H) float image tokens."""
        return self.projector(self.fuse(clip_pixels, convnext_pixels))

    def only(self, image_tokens: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """A picture of which nothing is seen but some places; at the others stands what it shows most of.

        Args:
            image_tokens: (1, P, H) float.
            seen: (P,) bool.

        Returns:
            (1, P, H) float.
        """
        places = [part.weight for part in self.projector.modules() if isinstance(part, PlaceEmbedding)]
        place = places[0].to(image_tokens.dtype) if places else torch.zeros_like(image_tokens[0])
        shown = image_tokens[0] - place
        return (torch.where(seen.unsqueeze(1), shown, shown.median(dim=0).values) + place).unsqueeze(0)

    def embed(self, token_ids: torch.Tensor, image_tokens: torch.Tensor, is_image: torch.Tensor) -> torch.Tensor:
        """Word embeddings with the image tokens put in their places.

        Args:
            token_ids: (B, L) int64; what stands at image positions does not matter. Where a reader reads the user's
                words, these come after the language model's own tokens, and utterances are whole.
            image_tokens: (B, P, H) float.
            is_image: (B, L) bool with exactly P true entries a row.

        Returns:
            (B, L, H) float.
        """
        table = self.language.get_input_embeddings()
        if self.reader is None:
            embeddings = table(token_ids)
        else:
            rows = self.language.config.vocab_size
            is_users = (token_ids >= rows).unsqueeze(-1)
            embeddings = table(token_ids.clamp(max=rows - 1))
            read = self.reader.read_rows(token_ids, rows)
            embeddings = embeddings.masked_scatter(is_users, read.to(embeddings.dtype))
        return embeddings.masked_scatter(is_image.unsqueeze(-1), image_tokens.to(embeddings.dtype))

    def prompts(self, hidden: torch.Tensor, image_tokens: torch.Tensor) -> torch.Tensor:
        """SAM's prompts.

        Args:
            hidden: (N, H) float last hidden states at the positions that predict `[SEG]`.
            image_tokens: (N, P, H) float, those of the image that each is about.

        Returns:
            (N, 1, C) float.
        """
        prompts = self.segmentation_prompt(hidden)
        if self.pointer is not None:
            grid = math.isqrt(image_tokens.shape[1])
            places = self.sam.prompt_encoder.pe_layer((grid, grid)).flatten(1).T.to(prompts.dtype)
            prompts = prompts + self.pointer(hidden, image_tokens).softmax(dim=-1) @ places
        return prompts.unsqueeze(1)
