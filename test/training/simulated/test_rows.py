"""What is trained is what runs: rows of conversations and padded pictures give what the engine would compute."""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.images import encoder_images, masks_to_image, to_pixels
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.sim.talk.compose import conversations
from pixelrs_ros.training.simulated.bank import make_layout
from pixelrs_ros.training.simulated.packing import encode_talk, pack_rows
from pixelrs_ros.training.simulated.run import imagined_things
from pixelrs_ros.training.simulated.scenes import Scenes, as_it_is, encoder_pixels
from pixelrs_ros.training.simulated.talk import ATTENTION_ON_CPU, Rows


def test_a_row_of_conversations_reads_like_each_of_them_alone(
    debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    torch.manual_seed(0)
    layout = make_layout(debug_tokenizer, debug_config)
    miras = build_miras(debug_config, layout.vocab_size).eval()
    things = imagined_things(random.Random(3))
    talks = [
        encode_talk(talk, layout) for talk in conversations(things, np.random.default_rng(0), count=12, split="val")
    ]
    rows = pack_rows(iter(talks), 2, layout.vocab_size)
    data = {name: torch.from_numpy(value).long() for name, value in rows.items()}
    image = torch.randn(2, debug_config.clip.num_patches, miras.language.config.hidden_size)
    with torch.no_grad():
        packed = Rows(Scenes(data), layout, miras)
        hidden = packed.hidden(image)
        checked = 0
        for row in range(2):
            for number in range(int(data["owner"][row].max()) + 1):
                mine = (data["owner"][row] == number).nonzero()[:, 0]
                alone = torch.tensor([layout.prefix() + data["ids"][row, mine].tolist()])
                embeddings = miras.embed(alone, image[row : row + 1], alone == layout.image_id)
                expected = miras.language.base_model(inputs_embeds=embeddings).last_hidden_state[0, packed.start :]
                torch.testing.assert_close(hidden[row, packed.start + mine], expected, atol=1e-4, rtol=1e-4)
                checked += 1
    assert checked >= 4


def test_attention_on_a_cpu_computes_in_fp32_what_attention_computes(debug_config: MirasConfig) -> None:
    torch.manual_seed(0)
    language = build_miras(debug_config, 300).language
    embeddings = torch.randn(2, 24, language.config.hidden_size)
    whose = torch.arange(24) // 8
    sees = ((whose.view(-1, 1) == whose) | (whose == 0)).tril().expand(2, 1, 24, 24)
    expected = {}
    for name in ("sdpa", ATTENTION_ON_CPU):
        language.set_attn_implementation(name)
        hidden = language.base_model(inputs_embeds=embeddings, attention_mask=sees).last_hidden_state
        language.zero_grad()
        hidden.square().mean().backward()
        grads = [one.grad.clone() for one in language.base_model.parameters() if one.grad is not None]
        expected[name] = [hidden, *grads]
    torch.testing.assert_close(expected["sdpa"], expected[ATTENTION_ON_CPU])
    kinds: list[torch.dtype] = []
    attend = torch.nn.functional.scaled_dot_product_attention

    def noted(query: torch.Tensor, *rest: Any, **how: Any) -> torch.Tensor:
        kinds.append(query.dtype)
        return attend(query, *rest, **how)

    with torch.autocast("cpu", torch.bfloat16), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", noted)
        language.base_model(inputs_embeds=embeddings, attention_mask=sees)
    assert set(kinds) == {torch.float32}


def test_masks_and_positions_stand_at_their_tokens(debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> None:
    layout = make_layout(debug_tokenizer, debug_config)
    things = imagined_things(random.Random(5))
    turns = list(conversations(things, np.random.default_rng(1), count=30, split="train"))
    rows = pack_rows((encode_talk(talk, layout) for talk in turns), 3, layout.vocab_size)
    seen = 0
    for row in range(3):
        ids = rows["ids"][row]
        for seg, obj, thing, _ in rows["seg"][row][rows["seg"][row, :, 0] >= 0]:
            assert ids[seg + 1] == layout.seg_id
            assert ids[obj] == layout.obj_id
            words = layout.tokenizer.decode([int(i) for i in ids[obj + 1 : seg + 1]])
            element = next(one for one in things if one.object_id == thing)
            assert element.name in words
            seen += 1
        predicted = ids[np.flatnonzero(rows["predict"][row] == 1) + 1]
        assert (predicted < layout.vocab_size).all()
        assert (predicted == layout.eos_id).any()
    assert seen > 5


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (360, 640), (480, 480)])
def test_padded_pictures_are_those_of_the_run_time(debug_config: MirasConfig, height: int, width: int) -> None:
    generator = np.random.default_rng(0)
    small = generator.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    wanted = to_pixels(encoder_images(image, debug_config), debug_config)
    side = debug_config.sam.image_size_px
    shown = encoder_images(image, debug_config).sam
    square = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    square[0, : shown.shape[0], : shown.shape[1]] = torch.from_numpy(shown)
    sizes = torch.tensor([shown.shape[:2]])
    clip, convnext, sam = encoder_pixels(as_it_is(square), sizes, debug_config)
    torch.testing.assert_close(sam, wanted.sam)
    torch.testing.assert_close(convnext, wanted.convnext)
    assert (clip - wanted.clip).abs().mean() < 0.1  # made smaller twice, not once
    mask = torch.full((1, 1, side // 2, side // 2), -1.0)
    mask[..., : shown.shape[0] // 2, : shown.shape[1] // 2] = 1.0
    assert (masks_to_image(mask, height, width, debug_config) > 0).float().mean() > 0.95
