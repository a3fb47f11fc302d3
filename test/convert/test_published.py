"""The authors' checkpoint through the real command, against their mathematics written down plainly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_miras import Plain
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

ADDED = ("[SEG]", "<im_start>", "<im_end>")


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


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
    assert main(["import-checkpoint", str(folder), "--out", str(out), *OPTIONS, *options]) == 0
    return out


@torch.no_grad()
def test_every_stage_equals_the_published_mathematics(folder: Path, state: dict[str, Tensor], sizes: Any) -> None:
    plain = Plain(state, sizes)
    miras, config, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    generator = torch.Generator().manual_seed(7)
    clip, convnext, sam = (torch.randn(2, 3, side, side, generator=generator) for side in (32, 64, 64))

    low, high = plain.clip(clip), plain.convnext(convnext)
    close(miras.clip(clip), low)
    assert miras.convnext is not None
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
    close(miras.prompts(ours[rows, predicting], image_tokens[rows])[:, 0], prompts)
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


@pytest.mark.parametrize(("legacy", "space"), [(False, ""), (True, " ")])
@pytest.mark.parametrize(("after", "kept"), [(".", "."), (", too.", ", too."), (" and the knife.", " and the knife.")])
def test_after_seg_a_space_of_the_words_own_is_kept(
    folder: Path, foreign: Any, legacy: bool, space: str, after: str, kept: str
) -> None:
    """As the authors' tokenizer does: its own space before every text that follows an added token, then the text."""
    foreign.write_json(folder / "tokenizer_config.json", {"legacy": legacy})
    _, config, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    ids = ChatLayout(tokenizer, config.clip.num_patches, config.text).answer(f"It is the pan [SEG]{after}")
    (seg,) = ids_of(tokenizer, "[SEG]")
    names = [str(tokenizer.id_to_token(index)) for index in ids[ids.index(seg) + 1 : -1]]
    assert "".join(names).replace("▁", " ") == space + kept


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


def test_a_tokenizer_without_added_tokens_gets_them_in_the_authors_order(folder: Path, foreign: Any) -> None:
    foreign.write_tokenizer(folder)
    _, _, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    assert [tokenizer.token_to_id(token) for token in ADDED] == [80, 81, 82]


def test_the_towers_own_folder_tells_the_heads(folder: Path, foreign: Any, sizes: Any) -> None:
    tower = folder.parent / "clip-vit-large-patch14-336"
    foreign.write_json(tower / "config.json", {"model_type": "clip_vision_model", "num_attention_heads": 6})
    write_config(folder, foreign, sizes, mm_vision_tower=str(tower))
    assert main(["import-checkpoint", str(folder), "--out", str(folder.parent / "ours")]) == 0
    assert load_checkpoint(folder.parent / "ours")[1].clip.num_heads == 6


def test_a_checkpoint_without_convnext_takes_the_public_one(
    folder: Path, foreign: Any, sizes: Any, state: dict[str, Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    own = {name: value for name, value in state.items() if "vision_tower_aux" not in name}
    write_shards(folder, own, "bin")
    assert main(["import-checkpoint", str(folder), "--check"]) == 1
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
    assert main(["import-checkpoint", str(folder), "--check", *OPTIONS]) == 1
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
    assert main(["import-checkpoint", str(folder), "--check", *OPTIONS]) == 1
    assert said in capsys.readouterr().err


def test_heads_that_cannot_be_known_are_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-checkpoint", str(folder), "--check"]) == 1
    assert "remedy: --set clip.num_heads=N" in capsys.readouterr().err


def test_nothing_is_written_without_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.parent.rglob("*"))
    assert main(["import-checkpoint", str(folder), *OPTIONS]) == 1
    assert "--out DIR is missing" in capsys.readouterr().err
    assert main(["import-checkpoint", str(folder), "--check", *OPTIONS]) == 0
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


@pytest.mark.parametrize(("written", "taken"), [(320, 768), (None, 768), (64, 64)])
def test_convnext_is_shown_what_the_authors_inference_shows_it(
    folder: Path, foreign: Any, sizes: Any, written: int | None, taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(folder, foreign, sizes, image_size_aux=written)
    sizes_taken = load_checkpoint(imported(folder, folder.parent / "ours"))[1].require_high_resolution()
    assert sizes_taken.image_size_px == taken
    assert ("--set convnext.image_size_px=N" in capsys.readouterr().out) == (taken != written)


@torch.inference_mode()
def test_the_state_of_seg_is_read_where_the_training_read_it(folder: Path) -> None:
    """Also where that lies in the part of the prompt that an earlier turn has computed."""
    engine = Engine.from_checkpoint(imported(folder, folder.parent / "ours", "--set", "seg_state_back=5"))
    table = engine.miras.language.get_input_embeddings()(torch.arange(20)[None])
    states = engine.miras.language.base_model(inputs_embeds=table).last_hidden_state[0]
    prefix = engine.new_prefix()
    prefix.extend(list(range(17)), table[:, :17])
    assert prefix.reuse(list(range(20))) == 17
    prefix.extend([17, 18, 19], table[:, 17:])
    close(prefix.state_before(5), states[14:15])
    close(prefix.state_before(99), states[:1])


def test_a_space_stands_before_seg_as_their_tokenizer_has_it(folder: Path) -> None:
    _, config, tokenizer = load_checkpoint(imported(folder, folder.parent / "ours"))
    ids = ChatLayout(tokenizer, config.clip.num_patches, config.text).answer("There it is [SEG].")
    names = [str(tokenizer.id_to_token(index)) for index in ids]
    seg = names.index("[SEG]")
    assert names[seg - 1] == "▁" and names[seg + 1].startswith("▁")
