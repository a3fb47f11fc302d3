import dataclasses

import pytest
import torch
from torch import nn

from pixelrs_ros.config import SamConfig, load_preset
from pixelrs_ros.model.sam import (
    DecoderAttention,
    EncoderAttention,
    FusedDecoderAttention,
    FusedEncoderAttention,
    ImageEncoderViT,
    MaskDecoder,
    Sam,
    TwoWayTransformer,
    build_sam,
)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def randomized(module: nn.Module) -> None:
    """No parameter at its initial zero, so that each of them counts."""
    for parameter in module.parameters():
        parameter.add_(0.2 * torch.randn_like(parameter))


def a_sam(config: SamConfig) -> Sam:
    sam = build_sam(config).eval().requires_grad_(False)
    randomized(sam)
    return sam


@pytest.fixture
def config() -> SamConfig:
    return load_preset("debug").sam


@pytest.mark.parametrize("use_rel_pos", [False, True])
def test_encoder_attention_equals_the_original(use_rel_pos: bool) -> None:
    original = EncoderAttention(12, num_heads=3, use_rel_pos=use_rel_pos, input_size=(4, 5)).requires_grad_(False)
    randomized(original)
    fused = FusedEncoderAttention(12, num_heads=3, use_rel_pos=use_rel_pos, input_size=(4, 5)).requires_grad_(False)
    fused.load_state_dict(original.state_dict())
    x = torch.randn(2, 4, 5, 12)
    assert torch.allclose(fused(x), original(x), rtol=1e-4, atol=1e-5)


def test_decoder_attention_equals_the_original() -> None:
    original = DecoderAttention(16, num_heads=2, downsample_rate=2).requires_grad_(False)
    fused = FusedDecoderAttention(16, num_heads=2, downsample_rate=2).requires_grad_(False)
    fused.load_state_dict(original.state_dict())
    query, key, value = torch.randn(3, 5, 16), torch.randn(3, 7, 16), torch.randn(3, 7, 16)
    assert torch.allclose(fused(query, key, value), original(query, key, value), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("use_rel_pos", [False, True])
def test_the_image_encoder_equals_the_original(config: SamConfig, use_rel_pos: bool) -> None:
    sam = a_sam(dataclasses.replace(config, use_rel_pos=use_rel_pos))
    original = ImageEncoderViT(
        img_size=config.image_size_px,
        patch_size=config.patch_size_px,
        embed_dim=config.embed_dim,
        depth=config.depth,
        num_heads=config.num_heads,
        out_chans=config.prompt_dim,
        use_rel_pos=use_rel_pos,
        window_size=config.window_size,
        global_attn_indexes=config.global_attn_indexes,
        norm_layer=lambda size: nn.LayerNorm(size, eps=1e-6),
    ).eval()
    original.load_state_dict(sam.image_encoder.state_dict())
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(sam.encode(pixels), original(pixels), rtol=1e-4, atol=1e-4)
    assert sum(isinstance(module, FusedEncoderAttention) for module in sam.modules()) == config.depth


def test_the_mask_decoder_equals_the_original_for_one_image(config: SamConfig) -> None:
    sam = a_sam(config)
    transformer = TwoWayTransformer(
        depth=config.decoder_depth,
        embedding_dim=config.prompt_dim,
        num_heads=config.decoder_num_heads,
        mlp_dim=config.decoder_mlp_dim,
    )
    original = MaskDecoder(
        transformer_dim=config.prompt_dim,
        transformer=transformer,
        iou_head_hidden_dim=config.iou_head_hidden_dim,
    )
    original.load_state_dict(sam.mask_decoder.state_dict())
    embeddings, prompts = torch.randn(1, 32, 8, 8), torch.randn(3, 1, 32)
    with torch.no_grad():
        masks, quality = original.predict_masks(
            image_embeddings=embeddings,
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=prompts,
            dense_prompt_embeddings=sam.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(3, -1, 8, 8),
        )
    ours, our_quality = sam.decode(embeddings, prompts, torch.zeros(3, dtype=torch.long))
    assert masks.shape == (3, 4, 32, 32) and ours.shape == (3, 1, 32, 32)
    assert masks[:, 0].std() > 0.01
    assert torch.allclose(ours[:, 0], masks[:, 0], rtol=1e-4, atol=1e-5)
    assert torch.allclose(our_quality, quality[:, :1], rtol=1e-4, atol=1e-5)


def test_prompts_of_several_images_equal_one_by_one(config: SamConfig) -> None:
    sam = a_sam(config)
    embeddings, prompts = torch.randn(3, 32, 8, 8), torch.randn(4, 1, 32)
    index = torch.tensor([2, 0, 0, 1])
    logits, quality = sam.decode(embeddings, prompts, index)
    for number, image in enumerate(index.tolist()):
        alone, alone_quality = sam.decode(
            embeddings[image : image + 1], prompts[number : number + 1], torch.tensor([0])
        )
        assert torch.allclose(logits[number], alone[0], rtol=1e-4, atol=1e-5)
        assert torch.allclose(quality[number], alone_quality[0], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(logits[1], logits[2], atol=1e-3), "another prompt, another mask"
