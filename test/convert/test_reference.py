"""The authors' checkpoint through the real command, against their mathematics written down plainly.

Everything in `Plain` works on the raw tensors under the authors' names with torch's functions alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from pixelrs_ros.checkpoint import load_checkpoint
from pixelrs_ros.cli import main
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.images import masks_to_image
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.types import Frame, Utterance

GRID = 48  # which the authors' code resizes ConvNeXt's stages to, whatever CLIP's grid
EPS = 1e-3  # of the root mean squares, as `llama_config` writes it: large enough to be missed
THETA = 5000.0
ADDED = ("[SEG]", "<im_start>", "<im_end>")


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


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
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + eps).sqrt()
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
        centres = (2 * (torch.arange(side) + 0.5) / side - 1).expand(side, side)
        waves = 2 * math.pi * torch.stack([centres, centres.T], -1)
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


def ids_of(tokenizer: Tokenizer, *names: str) -> list[int]:
    """Ids of tokens that the tokenizer has."""
    return [tokenizer.get_vocab()[name] for name in names]


@pytest.fixture
def sizes(foreign: Any) -> Any:
    return foreign.Sizes()


@pytest.fixture
def state(foreign: Any, sizes: Any) -> dict[str, Tensor]:
    return foreign.random_state(foreign.reference_shapes(sizes))


def write_config(folder: Path, foreign: Any, sizes: Any, **more: Any) -> None:
    ours = {
        "model_type": "mgm",
        "mm_vision_tower": "/nowhere/clip-vit-large-patch14-336",
        "mm_vision_select_layer": -2,
        "mm_projector_type": "mlp2x_gelu",
        "image_size_aux": 64,
        "image_grid": 1,
        "image_global": False,
    }
    foreign.write_json(folder / "config.json", foreign.llama_config(sizes, **{**ours, **more}))


def write_shards(folder: Path, state: dict[str, Tensor], kind: str) -> None:
    """Two shards and their index, as transformers writes them."""
    weight_map: dict[str, str] = {}
    names = list(state)
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        tensors = {name: state[name].contiguous() for name in part}
        if kind == "safetensors":
            file = f"model-0000{number}-of-00002.safetensors"
            save_file(tensors, folder / file)
        else:
            file = f"pytorch_model-0000{number}-of-00002.bin"
            torch.save(tensors, folder / file)
        weight_map |= dict.fromkeys(part, file)
    stem = "model.safetensors" if kind == "safetensors" else "pytorch_model.bin"
    (folder / f"{stem}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


@pytest.fixture
def folder(tmp_path: Path, foreign: Any, sizes: Any, state: dict[str, Tensor]) -> Path:
    """A merged checkpoint of the authors, in shards of PyTorch's format, as their script writes it."""
    path = tmp_path / "merged"
    foreign.write_tokenizer(path, ADDED)
    write_config(path, foreign, sizes)
    write_shards(path, state, "bin")
    return path


OPTIONS = ["--set", "clip.num_heads=3"]


def imported(folder: Path, out: Path, *options: str) -> Path:
    assert main(["import-reference", str(folder), "--out", str(out), *OPTIONS, *options]) == 0
    return out


@torch.no_grad()
def test_every_stage_equals_the_published_mathematics(folder: Path, state: dict[str, Tensor], sizes: Any) -> None:
    plain = Plain(state, sizes)
    miras, config, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    generator = torch.Generator().manual_seed(7)
    clip, convnext, sam = (torch.randn(2, 3, side, side, generator=generator) for side in (32, 64, 64))

    low, high = plain.clip(clip), plain.convnext(convnext)
    close(miras.clip(clip), low)
    close(miras.convnext(convnext), high)
    fused = plain.fuse(low, high)
    assert (fused - low).abs().mean() > 0.1, "what the fusion adds counts"
    close(miras.fuse(clip, convnext), fused)
    image_tokens = plain.project(fused)
    close(miras.encode_image(clip, convnext), image_tokens)

    seg, image = ids_of(tokenizer, "[SEG]", "<image>")
    before, after = torch.tensor([1, 40, 41, 81]), torch.tensor([82, 12, seg, 13, 14, seg, 2])
    table = state["model.embed_tokens.weight"]
    embedded = torch.stack([torch.cat([table[before], tokens, table[after]]) for tokens in image_tokens])
    hidden = plain.language(embedded)
    ids = torch.cat([before, torch.full((len(image_tokens[0]),), image), after]).expand(2, -1)
    embedded = miras.embed(ids, image_tokens, torch.eq(ids, image))
    ours = miras.language.base_model(inputs_embeds=embedded).last_hidden_state
    close(ours, hidden)
    logits = miras.language.get_output_embeddings()(ours)
    close(logits[..., : sizes.vocabulary], hidden @ state["lm_head.weight"].T)

    rows, positions = torch.eq(ids, seg).nonzero().unbind(1)
    predicting = positions - 1  # whose next token is [SEG]
    prompts = plain.prompt(hidden[rows, predicting])
    close(miras.prompts(ours[rows, predicting])[:, 0], prompts)
    embedding = plain.sam_encode(sam)
    close(miras.sam.encode(sam), embedding)
    masks, quality = miras.sam.decode(embedding, prompts[:, None], rows)
    for number, (image, prompt) in enumerate(zip(rows.tolist(), prompts, strict=True)):
        mask, score = plain.sam_decode(embedding[image : image + 1], prompt)
        assert mask.std() > 1e-2
        close(masks[number, 0], mask)
        close(quality[number, 0], score)
    # A picture of 48x64 fills the upper three quarters of SAM's square.
    square = F.interpolate(masks, (64, 64), mode="bilinear", align_corners=False)[..., :48, :]
    expected = F.interpolate(square, (96, 128), mode="bilinear", align_corners=False)[:, 0]
    close(masks_to_image(masks, 96, 128, config), expected)


@pytest.mark.parametrize(("legacy", "space"), [(False, ""), (True, " "), (None, " ")])
def test_the_prompt_is_that_of_the_published_conversation(
    folder: Path, foreign: Any, legacy: bool | None, space: str
) -> None:
    """Legacy is transformers' word, and default, for a space before every text that follows a special token."""
    foreign.write_json(folder / "tokenizer_config.json", {} if legacy is None else {"legacy": legacy})
    _, config, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    layout = ChatLayout(tokenizer, config.clip.num_patches, config.text)
    ids = layout.prompt([("Where is it?", "There it is.")], "AND the knife?")
    names = [str(tokenizer.id_to_token(index)) for index in ids]
    assert names[0] == "<s>" and names.count("<s>") == 1
    start = names.index("<im_start>")
    assert names[start + 1 : start + 1 + config.clip.num_patches] == ["<image>"] * config.clip.num_patches
    end = names.index("<im_end>")
    assert end == start + 1 + config.clip.num_patches
    spelled = "".join(names[1:start]) + "|" + "".join(names[end + 1 :])
    assert spelled.replace("▁", " ") == (
        " A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, "
        f"detailed, and polite answers to the human's questions. USER: |{space}\nWhere is it? ASSISTANT: There it is."
        f"</s>{space}USER: AND the knife? ASSISTANT:"
    )


def test_an_imported_checkpoint_answers(folder: Path) -> None:
    session = Session(Engine.from_checkpoint(imported(folder, folder.parent / "ours")))
    picture = torch.arange(3 * 40 * 60).remainder(251).reshape(40, 60, 3).to(torch.uint8).numpy()
    reply = session.say(Utterance("where is the knife"), Frame(picture))
    assert reply.answer is not None and all(segment.mask.shape == (40, 60) for segment in reply.segments)


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
@pytest.mark.parametrize("dtype", [None, "fp16", "bf16"])
def test_formats_and_dtypes(folder: Path, state: dict[str, Tensor], kind: str, dtype: str | None) -> None:
    for file in folder.glob("pytorch_model*"):
        file.unlink()
    halves = {name: value.half() for name, value in state.items()}
    write_shards(folder, halves, kind)
    miras, _, _ = load_checkpoint(imported(folder, folder.parent / "ours", *(["--dtype", dtype] if dtype else [])))
    for ours, theirs in (
        ("projector.0.weight", "model.mm_projector.0.weight"),
        ("fusion.key_projector.1.bias", "model.vlm_uni_aux_projector.1.bias"),
        ("convnext.stages.1.layers.1.layer_scale_parameter", "model.vision_tower_aux.vision_stages.1.blocks.1.gamma"),
    ):
        expected = halves[theirs].to(torch.bfloat16) if dtype == "bf16" else halves[theirs]
        assert torch.equal(miras.state_dict()[ours], expected.float())


def test_tokens_that_nobody_trained_get_the_mean_row(folder: Path, state: dict[str, Tensor]) -> None:
    miras, _, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    for table, theirs in (("model.embed_tokens", "model.embed_tokens.weight"), ("lm_head", "lm_head.weight")):
        rows = miras.language.state_dict()[f"{table}.weight"]
        assert torch.equal(rows[:83], state[theirs])
        for index in ids_of(tokenizer, "[OBJ]", "[ASK]", "[NONE]", "<image>"):
            assert torch.allclose(rows[index], state[theirs].mean(0), atol=1e-6)


def test_rows_of_no_token_are_kept(folder: Path, foreign: Any) -> None:
    sizes = foreign.Sizes(vocabulary=96)
    state = foreign.random_state(foreign.reference_shapes(sizes))
    write_config(folder, foreign, sizes)
    write_shards(folder, state, "bin")
    engine = Engine.from_checkpoint(imported(folder, folder.parent / "ours"))
    rows = engine.miras.language.state_dict()["lm_head.weight"]
    assert torch.equal(rows[87:], state["lm_head.weight"][87:]) and len(rows) == 96
    picture = torch.full((32, 32, 3), 90, dtype=torch.uint8).numpy()
    Session(engine).say(Utterance("where is the knife"), Frame(picture))  # no row without a token is ever said


def test_a_tokenizer_saved_without_its_added_tokens_gets_them_in_the_authors_order(folder: Path, foreign: Any) -> None:
    foreign.write_tokenizer(folder)
    _, _, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    assert [tokenizer.token_to_id(token) for token in ADDED] == [80, 81, 82]


def test_the_towers_own_folder_tells_the_heads(folder: Path, foreign: Any, sizes: Any) -> None:
    tower = folder.parent / "clip-vit-large-patch14-336"
    foreign.write_json(tower / "config.json", {"model_type": "clip_vision_model", "num_attention_heads": 6})
    write_config(folder, foreign, sizes, mm_vision_tower=str(tower))
    assert main(["import-reference", str(folder), "--out", str(folder.parent / "ours")]) == 0
    assert load_checkpoint(folder.parent / "ours")[1].clip.num_heads == 6


def test_a_checkpoint_without_convnext_takes_the_public_one(
    folder: Path, foreign: Any, sizes: Any, state: dict[str, Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    own = {name: value for name, value in state.items() if "vision_tower_aux" not in name}
    write_shards(folder, own, "bin")
    assert main(["import-reference", str(folder), "--check"]) == 1
    assert "has no convnext; remedy: --convnext" in capsys.readouterr().err
    public = foreign.random_state(foreign.convnext_shapes(sizes, "visual.trunk.stem", "visual.trunk.stages"), seed=5)
    torch.save(public, folder.parent / "open_clip_pytorch_model.bin")
    out = imported(folder, folder.parent / "ours", "--convnext", str(folder.parent / "open_clip_pytorch_model.bin"))
    ours = load_checkpoint(out)[0].state_dict()
    assert torch.equal(ours["convnext.embeddings.patch_embeddings.weight"], public["visual.trunk.stem.0.weight"])


def test_what_does_not_fit_is_listed(
    folder: Path, state: dict[str, Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    missing = (
        "model.vision_tower_aux.vision_stages.1.blocks.0.gamma",
        "model.visual_model.mask_decoder.iou_token.weight",
    )
    for name in missing:
        del state[name]
    state["model.vision_tower.vision_tower.vision_model.surprise"] = torch.zeros(1)
    state["model.box_decoder.weight"] = torch.zeros(1)
    state["model.mm_projector.2.bias"] = torch.zeros(7)
    write_shards(folder, state, "bin")
    assert main(["import-reference", str(folder), "--check", *OPTIONS]) == 1
    said = capsys.readouterr().err
    assert f"missing: {', '.join(missing)}" in said
    assert "left over: model.box_decoder.weight, model.vision_tower.vision_tower.vision_model.surprise" in said
    assert "of the wrong shape: model.mm_projector.2.bias (7,) instead of (32,)" in said


def test_buffers_of_old_releases_are_passed_over(folder: Path, state: dict[str, Tensor], capsys: Any) -> None:
    state["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(4)
    state["model.vision_tower.vision_tower.vision_model.embeddings.position_ids"] = torch.zeros(1, 17)
    write_shards(folder, state, "bin")
    imported(folder, folder.parent / "ours")
    assert "2 tensors are of no use here" in capsys.readouterr().out


def broken_index(folder: Path) -> None:
    (folder / "pytorch_model-00002-of-00002.bin").unlink()


def truncated(folder: Path) -> None:
    file = folder / "pytorch_model-00001-of-00002.bin"
    file.write_bytes(file.read_bytes()[:5000])


def adapter(folder: Path) -> None:
    tensors = {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": torch.zeros(2, 2)}
    for file in folder.glob("pytorch_model*"):
        file.unlink()
    save_file(tensors, folder / "adapter_model.safetensors")


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def grid_of_tiles(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "image_grid": 2}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (broken_index, "names files that are missing: pytorch_model-00002-of-00002.bin"),
        (truncated, "pytorch_model-00001-of-00002.bin is not a whole PyTorch file"),
        (adapter, "is none of: MIRAS as its authors save it"),
        (no_tokenizer, "lacks a tokenizer"),
        (grid_of_tiles, "config.json: image_grid is 2"),
    ],
)
def test_what_is_spoilt_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], said: str
) -> None:
    spoil(folder)
    assert main(["import-reference", str(folder), "--check", *OPTIONS]) == 1
    assert said in capsys.readouterr().err


def test_heads_that_cannot_be_known_are_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-reference", str(folder), "--check"]) == 1
    assert "remedy: --set clip.num_heads=N" in capsys.readouterr().err


def test_nothing_is_written_without_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.parent.rglob("*"))
    assert main(["import-reference", str(folder), *OPTIONS]) == 1
    assert "--out DIR is missing" in capsys.readouterr().err
    assert main(["import-reference", str(folder), "--check", *OPTIONS]) == 0
    assert sorted(folder.parent.rglob("*")) == before


def test_a_sentencepiece_model_is_read(folder: Path, foreign: Any) -> None:
    """As Vicuna's tokenizer comes, and so the authors': `tokenizer.model` with the added tokens beside it."""
    import sentencepiece

    words = folder.parent / "words.txt"
    words.write_text("where is the knife, there it is\nthe red knife on the table\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(words), model_prefix=str(folder / "tokenizer"), vocab_size=300, model_type="bpe", byte_fallback=True,
        hard_vocab_limit=False, normalization_rule_name="identity", remove_extra_whitespaces=False, unk_id=0, bos_id=1,
        eos_id=2, pad_id=-1, minloglevel=2,
    )  # fmt: skip
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.vocab").unlink()
    size = pieces.get_piece_size()
    foreign.write_json(folder / "added_tokens.json", {token: size + place for place, token in enumerate(ADDED)})
    described = {"tokenizer_class": "LlamaTokenizer", "legacy": False, "bos_token": "<s>", "eos_token": "</s>"}
    foreign.write_json(folder / "tokenizer_config.json", {**described, "unk_token": "<unk>"})
    sizes = foreign.Sizes(vocabulary=size + 3)
    write_config(folder, foreign, sizes)
    write_shards(folder, foreign.random_state(foreign.reference_shapes(sizes)), "bin")

    _, _, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    assert ids_of(tokenizer, *ADDED) == [size, size + 1, size + 2]
    text = "where is\nthe Zebra, there"
    # Ours puts no space of its own before a text, as the chat template writes each; SentencePiece always does.
    assert tokenizer.encode(f" {text}", add_special_tokens=False).ids == pieces.encode(text)
    assert tokenizer.decode(pieces.encode(text)).strip() == text
