import dataclasses
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from pixelrs_ros.config import ConvNextConfig, LanguageConfig, MirasConfig, load_preset
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.build import build_miras, count_parameters
from pixelrs_ros.model.convnext import ConvNextEncoder
from pixelrs_ros.model.efficientnet import EfficientNetEncoder
from pixelrs_ros.model.fusion import PatchInformationMining
from pixelrs_ros.model.language import build_language_model
from pixelrs_ros.model.miras import Miras


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_clip_gives_the_patches_of_the_selected_layer(debug_miras: Miras) -> None:
    pixels = torch.randn(2, 3, 32, 32)
    tokens = debug_miras.clip(pixels)
    assert tokens.shape == (2, 16, 32)
    # The debug preset takes the layer before the last, as LLaVA does: the last one does not matter.
    last = [parameter for name, parameter in debug_miras.clip.named_parameters() if "layers.1." in name]
    assert last
    for parameter in last:
        parameter.add_(1.0)
    assert torch.equal(debug_miras.clip(pixels), tokens)
    other = pixels.clone()
    other[1] += 1
    assert torch.allclose(debug_miras.clip(other)[0], tokens[0], atol=1e-5)


def test_convnext_concatenates_its_stages_in_order() -> None:
    config = ConvNextConfig(64, (1, 1, 1, 1), (8, 16, 24, 32), 8, (0.5,) * 3, (0.5,) * 3)
    encoder = ConvNextEncoder(config).eval().requires_grad_(False)
    pixels = torch.randn(1, 3, 64, 64)
    grid = encoder(pixels)
    assert grid.shape == (1, config.out_channels, 8, 8) == (1, 80, 8, 8)
    features, start = encoder.embeddings(pixels), 0
    for stage, channels in zip(encoder.stages, config.hidden_sizes, strict=True):
        features = stage(features)
        resized = F.interpolate(features, (8, 8), mode="bilinear", align_corners=False)
        assert torch.allclose(grid[:, start : start + channels], resized, atol=1e-6)
        start += channels


def test_image_tokens_differ_by_their_places_where_configured() -> None:
    config = dataclasses.replace(load_preset("debug"), pointer=False)
    same = torch.randn(1, 1, config.clip.hidden_size).expand(2, config.clip.num_patches, -1)
    plain = build_miras(config, 10).projector(same)
    assert torch.equal(plain, plain[:, :1].expand_as(plain))
    projector = build_miras(dataclasses.replace(config, pointer=True), 10).projector
    alike = projector(same)
    assert torch.equal(alike, alike[:, :1].expand_as(alike)), "the places are zero, until they are trained"
    places = torch.randn(alike.shape[1:])
    projector.load_state_dict({**projector.state_dict(), "3.weight": places})
    assert torch.allclose(projector(same) - alike, places.expand_as(alike), atol=1e-6)


def test_a_prompt_carries_the_place_that_is_pointed_at() -> None:
    config = load_preset("debug")
    miras = build_miras(config, 10).eval()
    assert miras.pointer is not None
    hidden, tokens = torch.randn(3, 32), torch.randn(3, config.clip.num_patches, 32)
    miras.pointer.key.load_state_dict({"weight": torch.zeros(64, 32), "bias": torch.zeros(64)})
    nowhere = miras.prompts(hidden, tokens)[:, 0] - miras.segmentation_prompt(hidden)
    assert torch.allclose(nowhere, nowhere[:1].expand_as(nowhere), atol=1e-5), "everywhere at once"
    # A query of ones, and keys that are ones where the first channel of a token is.
    miras.pointer.query.load_state_dict({"weight": torch.zeros(64, 32), "bias": torch.ones(64)})
    miras.pointer.key.load_state_dict(
        {"weight": F.one_hot(torch.zeros(64).long(), 32).float(), "bias": torch.zeros(64)}
    )
    tokens[..., 0] = 0.0
    tokens[torch.arange(3), [0, 6, 15], 0] = 100.0
    found = miras.prompts(hidden, tokens)[:, 0] - miras.segmentation_prompt(hidden)
    centers = torch.tensor([[0.5, 0.5], [2.5, 1.5], [3.5, 3.5]]) / 4  # x, y of patches 0, 6 and 15 of 4 x 4
    assert torch.allclose(found, miras.sam.prompt_encoder.pe_layer._pe_encoding(centers), atol=1e-4)


def test_a_pointer_needs_clip_and_sam_to_see_the_same_picture() -> None:
    with pytest.raises(ConfigError, match="pointer needs framing pad or stretch"):
        dataclasses.replace(load_preset("debug"), framing="center", detail=False)


def mined_by_loops(fusion: PatchInformationMining, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    fused = low.clone()
    grid = high.shape[-1] // 2
    for image in range(len(low)):
        for row in range(grid):
            for column in range(grid):
                token = low[image, row * grid + column]
                cells = torch.stack([high[image, :, 2 * row + y, 2 * column + x] for y in range(2) for x in range(2)])
                query = fusion.query_projector(token)
                weights = (fusion.key_projector(cells) @ query / len(query) ** 0.5).softmax(dim=0)
                fused[image, row * grid + column] += weights @ fusion.value_projector(cells)
    return fused


def test_patch_information_mining_is_what_its_paper_says() -> None:
    fusion = PatchInformationMining(6, 10).requires_grad_(False)
    low, high = torch.randn(2, 9, 6), torch.randn(2, 10, 6, 6)
    assert torch.allclose(fusion(low, high), mined_by_loops(fusion, low, high), atol=1e-5)


def test_a_token_looks_at_its_own_cells_only() -> None:
    fusion = PatchInformationMining(6, 10).requires_grad_(False)
    low, high = torch.randn(1, 9, 6), torch.randn(1, 10, 6, 6)
    changed = high.clone()
    changed[0, :, 3, 4] += torch.randn(10)  # under the patch in row 1, column 2
    difference = (fusion(low, changed) - fusion(low, high)).abs().amax(dim=-1)[0]
    assert difference.nonzero().flatten().tolist() == [5]


def test_a_language_model_is_built_from_its_configuration() -> None:
    arguments: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    model = build_language_model(LanguageConfig("llama", {**arguments, "num_attention_heads": 2}), 40)
    assert model.get_input_embeddings().weight.shape == (40, 16)
    qwen = build_language_model(
        LanguageConfig("qwen2", {**arguments, "num_attention_heads": 2, "num_key_value_heads": 2}), 40
    )
    assert type(qwen).__name__ == "Qwen2ForCausalLM"
    with pytest.raises(ConfigError, match=r"language: .*parrot"):
        build_language_model(LanguageConfig("parrot", {}), 40)


def test_shapes_of_the_whole(debug_miras: Miras, debug_config: MirasConfig) -> None:
    clip, convnext, sam = torch.randn(2, 3, 32, 32), torch.randn(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    assert debug_miras.fuse(clip, convnext).shape == (2, 16, 32)
    assert debug_miras.encode_image(clip, convnext).shape == (2, 16, debug_miras.language.config.hidden_size)
    prompts = debug_miras.prompts(torch.randn(5, 32), torch.randn(5, 16, 32))
    assert prompts.shape == (5, 1, debug_config.sam.prompt_dim)
    embeddings = debug_miras.sam.encode(sam)
    assert embeddings.shape == (2, 32, 8, 8)
    logits, quality = debug_miras.sam.decode(embeddings, prompts, torch.tensor([0, 1, 1, 0, 0]))
    assert logits.shape == (5, 1, 32, 32) and quality.shape == (5, 1)


def test_image_tokens_go_where_they_belong(debug_miras: Miras) -> None:
    ids = torch.tensor([[20, 5, 5, 21, 22], [23, 24, 25, 5, 5]])
    image_tokens = torch.randn(2, 2, 32)
    embedded = debug_miras.embed(ids, image_tokens, ids == 5)
    words = debug_miras.language.get_input_embeddings()(ids)
    expected = [
        [words[0, 0], image_tokens[0, 0], image_tokens[0, 1], words[0, 3], words[0, 4]],
        [words[1, 0], words[1, 1], words[1, 2], image_tokens[1, 0], image_tokens[1, 1]],
    ]
    assert torch.equal(embedded, torch.stack([torch.stack(row) for row in expected]))


def test_sizes_of_the_presets() -> None:
    with torch.device("meta"):
        nano = build_miras(load_preset("nano"), vocab_size=2000)
        assert count_parameters(nano) < 40_000_000, "at most 60 MB with matrices in 8 bits"
        assert count_parameters(build_miras(load_preset("debug"), vocab_size=300)) < 700_000


def test_detail_reaches_the_masks_and_is_nothing_at_first(debug_miras: Miras) -> None:
    clip, convnext = torch.randn(2, 3, 32, 32), torch.randn(2, 3, 64, 64)
    tokens, detail = debug_miras.look(clip, convnext)
    assert torch.allclose(tokens, debug_miras.encode_image(clip, convnext), atol=1e-5)
    assert detail is not None and detail.shape == (2, 32, 8, 8) and not detail.any()
    assert debug_miras.detail is not None
    torch.nn.init.normal_(debug_miras.detail.projector.weight)
    _, seen = debug_miras.look(clip, convnext)
    assert seen is not None and seen.std() > 0.1
    sam = torch.randn(2, 3, 64, 64)
    assert torch.allclose(debug_miras.see(clip, convnext, sam)[1], debug_miras.sam.encode(sam) + seen, atol=1e-5)
    plain = build_miras(dataclasses.replace(load_preset("debug"), detail=False), 10)
    assert plain.look(clip, convnext)[1] is None


EFFICIENT = ConvNextConfig(64, (), (40, 112, 320), 8, (0.5,) * 3, (0.5,) * 3, architecture="efficientnet_lite0")


def test_efficientnet_gives_three_stages_on_one_grid() -> None:
    encoder = EfficientNetEncoder(EFFICIENT).eval()
    assert encoder(torch.randn(2, 3, 64, 64)).shape == (2, EFFICIENT.out_channels, 8, 8) == (2, 472, 8, 8)
    assert 2_500_000 < count_parameters(encoder) < 3_500_000


def test_efficientnet_keeps_the_statistics_that_it_came_with() -> None:
    encoder = EfficientNetEncoder(EFFICIENT)
    encoder.train()
    assert encoder.training and not any(m.training for m in encoder.modules() if isinstance(m, torch.nn.BatchNorm2d))
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    encoder(5 + torch.randn(2, 3, 64, 64)).sum().backward()
    assert before and all(torch.equal(value, before[name]) for name, value in encoder.named_buffers())
    assert all(parameter.grad is not None for name, parameter in encoder.named_parameters() if "_blocks.0." in name)
