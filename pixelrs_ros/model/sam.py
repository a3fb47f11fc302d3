"""Segment Anything: the image encoder, the prompt encoder and the mask decoder of segment_anything itself."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types

import torch
from torch import nn
from torch.nn import functional as F

from pixelrs_ros.config import SamConfig


def _register_segment_anything() -> None:
    """Make `segment_anything.modeling` importable without the package's own `__init__`.

    That file imports the automatic mask generator and with it torchvision, which MIRAS does not need and which has no
    wheel for many robots.
    """
    if "segment_anything" in sys.modules:
        return
    spec = importlib.util.find_spec("segment_anything")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("segment_anything is not installed; remedy: pip install segment-anything==1.0")
    package = types.ModuleType("segment_anything")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = importlib.machinery.ModuleSpec("segment_anything", None, is_package=True)
    sys.modules["segment_anything"] = package


_register_segment_anything()

from segment_anything.modeling.image_encoder import Attention as EncoderAttention  # noqa: E402
from segment_anything.modeling.image_encoder import ImageEncoderViT  # noqa: E402
from segment_anything.modeling.mask_decoder import MaskDecoder  # noqa: E402
from segment_anything.modeling.prompt_encoder import PromptEncoder  # noqa: E402
from segment_anything.modeling.transformer import Attention as DecoderAttention  # noqa: E402
from segment_anything.modeling.transformer import TwoWayTransformer  # noqa: E402


class FusedEncoderAttention(EncoderAttention):
    """The same mathematics through torch's fused kernel, a third faster on a CPU; relative positions keep SAM's own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, h, w, C) float -> (B, h, w, C) float."""
        if self.use_rel_pos:
            return super().forward(x)
        batch, height, width, _ = x.shape
        qkv = self.qkv(x).reshape(batch, height * width, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*qkv.unbind(0))
        return self.proj(mixed.transpose(1, 2).reshape(batch, height, width, -1))


class FusedDecoderAttention(DecoderAttention):
    """The decoder's attention through torch's fused kernel."""

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """(N, Lq, C), (N, Lk, C), (N, Lk, C) float -> (N, Lq, C) float."""
        q, k, v = (
            self._separate_heads(project(x), self.num_heads)
            for project, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        )
        return self.out_proj(self._recombine_heads(F.scaled_dot_product_attention(q, k, v)))


class SingleMaskDecoder(MaskDecoder):
    """SAM's mask decoder for prompts of several images at once, computing only the single-mask output."""

    def predict_masks(
        self,
        image_embeddings: torch.Tensor,
        image_pe: torch.Tensor,
        sparse_prompt_embeddings: torch.Tensor,
        dense_prompt_embeddings: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As in segment_anything, but `image_embeddings` holds one image a prompt: (N, C, h, w)."""
        output_tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight], dim=0)
        output_tokens = output_tokens.unsqueeze(0).expand(sparse_prompt_embeddings.shape[0], -1, -1)
        tokens = torch.cat((output_tokens, sparse_prompt_embeddings), dim=1)
        source = image_embeddings + dense_prompt_embeddings
        n, channels, height, width = source.shape
        hidden, source = self.transformer(source, image_pe.expand(n, -1, -1, -1), tokens)
        upscaled = self.output_upscaling(source.transpose(1, 2).view(n, channels, height, width))
        hyper = self.output_hypernetworks_mlps[0](hidden[:, 1])
        masks = torch.einsum("nc,nchw->nhw", hyper, upscaled).unsqueeze(1)
        return masks, self.iou_prediction_head(hidden[:, 0])


class Sam(nn.Module):
    """Image to embedding, prompt embedding to mask."""

    def __init__(self, image_encoder: nn.Module, prompt_encoder: PromptEncoder, mask_decoder: MaskDecoder) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.prompt_encoder = prompt_encoder
        self.mask_decoder = mask_decoder

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, S, S) float, normalized and padded -> (B, C, h, w) float image embeddings."""
        return self.image_encoder(pixels)

    def decode(
        self, embeddings: torch.Tensor, prompts: torch.Tensor, image_index: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One mask a prompt.

        Args:
            embeddings: (B, C, h, w) float image embeddings.
            prompts: (N, K, C) float, the sparse embeddings of each mask: MIRAS has one, a box has two.
            image_index: (N,) int64, which of the B images each prompt belongs to.

        Returns:
            (N, 1, 4h, 4w) float mask logits and (N, 1) float predicted IoU.
        """
        dense = self.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return self.mask_decoder(
            image_embeddings=embeddings[image_index],
            image_pe=self.prompt_encoder.get_dense_pe().to(embeddings.dtype),
            sparse_prompt_embeddings=prompts,
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )


def build_sam(config: SamConfig) -> Sam:
    """Assemble the three parts from a configuration."""
    grid = (config.grid_size, config.grid_size)
    image_encoder = ImageEncoderViT(
        img_size=config.image_size_px,
        patch_size=config.patch_size_px,
        embed_dim=config.embed_dim,
        depth=config.depth,
        num_heads=config.num_heads,
        out_chans=config.prompt_dim,
        use_rel_pos=config.use_rel_pos,
        window_size=config.window_size,
        global_attn_indexes=config.global_attn_indexes,
        norm_layer=lambda size: nn.LayerNorm(size, eps=1e-6),
    )
    prompt_encoder = PromptEncoder(
        embed_dim=config.prompt_dim,
        image_embedding_size=grid,
        input_image_size=(config.image_size_px, config.image_size_px),
        mask_in_chans=config.mask_in_channels,
    )
    mask_decoder = SingleMaskDecoder(
        transformer_dim=config.prompt_dim,
        transformer=TwoWayTransformer(
            depth=config.decoder_depth,
            embedding_dim=config.prompt_dim,
            num_heads=config.decoder_num_heads,
            mlp_dim=config.decoder_mlp_dim,
        ),
        num_multimask_outputs=3,
        iou_head_depth=3,
        iou_head_hidden_dim=config.iou_head_hidden_dim,
    )
    sam = Sam(image_encoder, prompt_encoder, mask_decoder)
    fused: dict[type[nn.Module], type[nn.Module]] = {
        EncoderAttention: FusedEncoderAttention,
        DecoderAttention: FusedDecoderAttention,
    }
    for module in sam.modules():
        # segment_anything's constructors take no attention class; parameters and their names stay as they are.
        module.__class__ = fused.get(type(module), type(module))
    return sam
