"""MIRAS as its authors compute it, written down plainly: raw tensors under their names and torch's functions alone."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

GRID = 48  # which the authors' code resizes ConvNeXt's stages to, whatever CLIP's grid
EPS = 1e-3  # of the root mean squares, as `llama_config` writes it: large enough to be missed
THETA = 5000.0


class Plain:
    """Arithmetic of a checkpoint."""

    def __init__(self, state: dict[str, Tensor], sizes: Any) -> None:
        self.state, self.sizes, self.at = state, sizes, ""

    def w(self, name: str) -> Tensor:
        return self.state[f"{self.at}{name}"]

    def below(self, prefix: str) -> Plain:
        inner = Plain(self.state, self.sizes)
        inner.at = f"{self.at}{prefix}"
        return inner

    def linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self.w(f"{name}.weight").T + self.w(f"{name}.bias")

    def norm(self, name: str, x: Tensor, eps: float, channel: int = -1) -> Tensor:
        x = x.movedim(channel, -1)
        centerd = x - x.mean(-1, keepdim=True)
        scaled = centerd / (centerd.pow(2).mean(-1, keepdim=True) + eps).sqrt()
        return (scaled * self.w(f"{name}.weight") + self.w(f"{name}.bias")).movedim(-1, channel)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(-3, -2) for x in (q, k, v))
        weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
        return (weights @ v).transpose(-3, -2).flatten(-2)

    def clip(self, pixels: Tensor) -> Tensor:
        """Hidden state before the last layer, less the class token."""
        m = self.below("model.vision_tower.vision_tower.vision_model.")
        patches = F.conv2d(pixels, m.w("embeddings.patch_embedding.weight"), stride=self.sizes.clip_patch)
        x = patches.flatten(2).mT
        first = m.w("embeddings.class_embedding").expand(len(x), 1, -1)
        x = torch.cat([first, x], 1) + m.w("embeddings.position_embedding.weight")
        x = m.norm("pre_layrnorm", x, 1e-5)
        for number in range(self.sizes.clip_layers - 1):
            layer = m.below(f"encoder.layers.{number}.")
            y = layer.norm("layer_norm1", x, 1e-5)
            q, k, v = (layer.linear(f"self_attn.{name}_proj", y) for name in "qkv")
            x = x + layer.linear("self_attn.out_proj", self.attend(q, k, v, self.sizes.clip_heads))
            y = layer.linear("mlp.fc1", layer.norm("layer_norm2", x, 1e-5))
            x = x + layer.linear("mlp.fc2", y * torch.sigmoid(1.702 * y))
        return x[:, 1:]

    def convnext(self, pixels: Tensor) -> Tensor:
        """Four stages, each on the same grid, first stage first."""
        m = self.below("model.vision_tower_aux.vision_")
        x = m.norm("stem.1", F.conv2d(pixels, m.w("stem.0.weight"), m.w("stem.0.bias"), stride=4), 1e-6, 1)
        grids = []
        for number, depth in enumerate(self.sizes.depths):
            stage = m.below(f"stages.{number}.")
            if number:
                x = stage.norm("downsample.0", x, 1e-6, 1)
                x = F.conv2d(x, stage.w("downsample.1.weight"), stage.w("downsample.1.bias"), stride=2)
            for block in (stage.below(f"blocks.{i}.") for i in range(depth)):
                y = F.conv2d(x, block.w("conv_dw.weight"), block.w("conv_dw.bias"), padding=3, groups=x.shape[1])
                y = block.norm("norm", y.movedim(1, -1), 1e-6)
                y = block.linear("mlp.fc2", F.gelu(block.linear("mlp.fc1", y)))
                x = x + (y * block.w("gamma")).movedim(-1, 1)
            grids.append(F.interpolate(x, size=(GRID, GRID), mode="bilinear", align_corners=False))
        return torch.cat(grids, 1)

    def fuse(self, low: Tensor, high: Tensor) -> Tensor:
        """Each token looks at the cells under its patch, one token after another."""
        m, side = self.below("model.vlm_uni_"), math.isqrt(low.shape[1])
        cells = GRID // side
        query = m.linear("query_projector.1", m.norm("query_projector.0", low, 1e-5))
        fused = low.clone()
        for number in range(low.shape[1]):
            row, column = divmod(number, side)
            patch = high[:, :, row * cells : (row + 1) * cells, column * cells : (column + 1) * cells].flatten(2).mT
            key = m.linear("aux_projector.1", m.norm("aux_projector.0", patch, 1e-5))
            value = m.linear("val_projector.1", m.norm("val_projector.0", patch, 1e-5))
            weights = (key @ query[:, number, :, None] / math.sqrt(low.shape[-1])).softmax(1)
            fused[:, number] += (weights * value).sum(1)
        return fused

    def project(self, fused: Tensor) -> Tensor:
        return self.linear("model.mm_projector.2", F.gelu(self.linear("model.mm_projector.0", fused)))

    def language(self, x: Tensor) -> Tensor:
        """Last hidden state, after the last norm."""
        s = self.sizes
        width = s.hidden // s.heads
        angles = torch.arange(x.shape[1])[:, None] / THETA ** (torch.arange(0, width, 2) / width)
        angles = torch.cat([angles, angles], -1)[:, None]
        ahead = torch.full((x.shape[1], x.shape[1]), -math.inf).triu(1)

        def rms(layer: Plain, name: str, y: Tensor) -> Tensor:
            return y / (y.pow(2).mean(-1, keepdim=True) + EPS).sqrt() * layer.w(f"{name}.weight")

        def turn(y: Tensor) -> Tensor:
            half = torch.cat([-y[..., width // 2 :], y[..., : width // 2]], -1)
            return y * angles.cos() + half * angles.sin()

        for number in range(s.layers):
            layer = self.below(f"model.layers.{number}.")
            y = rms(layer, "input_layernorm", x)
            q, k, v = (y @ layer.w(f"self_attn.{name}_proj.weight").T for name in "qkv")
            q = turn(q.unflatten(-1, (s.heads, width))).transpose(1, 2)
            groups = s.heads // s.key_value_heads
            k = turn(k.unflatten(-1, (-1, width))).transpose(1, 2).repeat_interleave(groups, 1)
            v = v.unflatten(-1, (-1, width)).transpose(1, 2).repeat_interleave(groups, 1)
            mixed = (q @ k.mT / math.sqrt(width) + ahead).softmax(-1) @ v
            x = x + mixed.transpose(1, 2).flatten(2) @ layer.w("self_attn.o_proj.weight").T
            y = rms(layer, "post_attention_layernorm", x)
            y = F.silu(y @ layer.w("mlp.gate_proj.weight").T) * (y @ layer.w("mlp.up_proj.weight").T)
            x = x + y @ layer.w("mlp.down_proj.weight").T
        return rms(self, "model.norm", x)

    def prompt(self, hidden: Tensor) -> Tensor:
        m = self.below("model.text_hidden_fcs.0.")
        return m.linear("2", F.relu(m.linear("0", hidden)))

    def sam_encode(self, pixels: Tensor) -> Tensor:
        m, s = self.below("model.visual_model.image_encoder."), self.sizes
        x = F.conv2d(pixels, m.w("patch_embed.proj.weight"), m.w("patch_embed.proj.bias"), stride=s.sam_patch)
        x = x.movedim(1, -1) + m.w("pos_embed")
        for number in range(s.sam_layers):
            block = m.below(f"blocks.{number}.")
            y = block.norm("norm1", x, 1e-6)
            x = x + (self._whole(block, y) if number in s.sam_global else self._windows(block, y))
            x = x + block.linear("mlp.lin2", F.gelu(block.linear("mlp.lin1", block.norm("norm2", x, 1e-6))))
        x = m.norm("neck.1", F.conv2d(x.movedim(-1, 1), m.w("neck.0.weight")), 1e-6, 1)
        return m.norm("neck.3", F.conv2d(x, m.w("neck.2.weight"), padding=1), 1e-6, 1)

    def _windows(self, block: Plain, x: Tensor) -> Tensor:
        """Attention within windows, the last of which reach over the edge into zeros."""
        side, grid = self.sizes.sam_window, x.shape[1]
        over = -grid % side
        padded = F.pad(x, (0, 0, 0, over, 0, over))
        for top in range(0, grid, side):
            for left in range(0, grid, side):
                window = (slice(None), slice(top, top + side), slice(left, left + side))
                padded[window] = self._whole(block, padded[window].clone())
        return padded[:, :grid, :grid]

    def _whole(self, block: Plain, x: Tensor) -> Tensor:
        side, heads = x.shape[1], self.sizes.sam_heads
        q, k, v = (
            part.flatten(1, 2).unflatten(-1, (heads, -1)).transpose(1, 2)
            for part in block.linear("attn.qkv", x).chunk(3, -1)
        )
        apart = torch.arange(side)[:, None] - torch.arange(side)[None] + side - 1
        rows = torch.einsum("bnyxc,yjc->bnyxj", q.unflatten(2, (side, side)), block.w("attn.rel_pos_h")[apart])
        columns = torch.einsum("bnyxc,xjc->bnyxj", q.unflatten(2, (side, side)), block.w("attn.rel_pos_w")[apart])
        near = (rows[..., :, None] + columns[..., None, :]).flatten(-2).flatten(2, 3)
        mixed = ((q @ k.mT) / math.sqrt(q.shape[-1]) + near).softmax(-1) @ v
        return block.linear("attn.proj", mixed.transpose(1, 2).flatten(2)).unflatten(1, (side, side))

    def sam_decode(self, embedding: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """(1, C, g, g) and (C,) -> (4g, 4g) logits of the single mask and its quality."""
        p, m = self.below("model.visual_model.prompt_encoder."), self.below("model.visual_model.mask_decoder.")
        side = embedding.shape[-1]
        centers = (2 * (torch.arange(side) + 0.5) / side - 1).expand(side, side)
        waves = 2 * math.pi * torch.stack([centers, centers.T], -1)
        waves = waves @ p.w("pe_layer.positional_encoding_gaussian_matrix")
        where = torch.cat([waves.sin(), waves.cos()], -1).flatten(0, 1)
        image = embedding[0].flatten(1).T + p.w("no_mask_embed.weight")
        first = torch.cat([m.w("iou_token.weight"), m.w("mask_tokens.weight"), prompt[None]])
        words, t = first, m.below("transformer.")

        def attend(at: Plain, name: str, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            q, k, v = (at.linear(f"{name}.{part}_proj", x) for part, x in (("q", q), ("k", k), ("v", v)))
            return at.linear(f"{name}.out_proj", self.attend(q, k, v, 8))

        for number in range(2):
            layer = t.below(f"layers.{number}.")
            if number == 0:
                words = attend(layer, "self_attn", words, words, words)
            else:
                words = words + attend(layer, "self_attn", words + first, words + first, words)
            words = layer.norm("norm1", words, 1e-5)
            words = words + attend(layer, "cross_attn_token_to_image", words + first, image + where, image)
            words = layer.norm("norm2", words, 1e-5)
            words = words + layer.linear("mlp.lin2", F.relu(layer.linear("mlp.lin1", words)))
            words = layer.norm("norm3", words, 1e-5)
            image = image + attend(layer, "cross_attn_image_to_token", image + where, words + first, words)
            image = layer.norm("norm4", image, 1e-5)
        words = words + attend(t, "final_attn_token_to_image", words + first, image + where, image)
        words = t.norm("norm_final_attn", words, 1e-5)
        up = m.below("output_upscaling.")
        fine = image.T.unflatten(1, (side, side))[None]
        fine = F.conv_transpose2d(fine, up.w("0.weight"), up.w("0.bias"), stride=2)
        fine = F.gelu(up.norm("1", fine, 1e-6, 1))
        fine = F.gelu(F.conv_transpose2d(fine, up.w("3.weight"), up.w("3.bias"), stride=2))

        def mlp(name: str, x: Tensor) -> Tensor:
            x = F.relu(m.linear(f"{name}.layers.1", F.relu(m.linear(f"{name}.layers.0", x))))
            return m.linear(f"{name}.layers.2", x)

        mask = torch.einsum("c,cyx->yx", mlp("output_hypernetworks_mlps.0", words[1]), fine[0])
        return mask, mlp("iou_prediction_head", words[0])[0]
