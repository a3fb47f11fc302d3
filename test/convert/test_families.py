"""LISA, SESAME and GLaMM as their authors save them, through the real command; the mathematics is `plain_miras`'s."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_miras import Plain
from torch import Tensor
from torch.nn import functional as F

from pixelrs_ros.checkpoint import load_checkpoint
from pixelrs_ros.cli import main
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.images import encoder_images, to_pixels
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.types import Frame, Reply, Status, Turn, Utterance

GLAMM_TOKENS = ("<im_start>", "<im_end>", "<bbox>", "<point>", "[SEG]", "<p>", "</p>")


def write(folder: Path, foreign: Any, kind: str, **config: object) -> dict[str, Tensor]:
    """A checkpoint of that family, CLIP included, with a linear projector for LISA.

    Returns:
        Its tensors under LISA's names, as `Plain` reads them.
    """
    added = GLAMM_TOKENS if kind == "glamm" else ("[SEG]", "<im_start>", "<im_end>")
    sizes = foreign.Sizes(vocabulary=80 + len(added))
    foreign.write_tokenizer(folder, added)
    shapes = {k: v for k, v in foreign.reference_shapes(sizes).items() if "_aux" not in k and "vlm_uni" not in k}
    if kind == "lisa":
        shapes = {k: v for k, v in shapes.items() if "mm_projector" not in k}
        shapes |= {"model.mm_projector.weight": (32, 24), "model.mm_projector.bias": (32,)}
    state: dict[str, Tensor] = foreign.random_state(shapes)
    written = state
    if kind == "glamm":
        written = {k.replace("visual_model", "grounding_encoder"): v for k, v in state.items()}
        written["model.region_encoder.flatten_linear.weight"] = torch.zeros(2, 2)
    torch.save(written, folder / "pytorch_model.bin")
    names = {"lisa": "LISAForCausalLM", "glamm": "GLaMMForCausalLM", "sesame": "SESAMEForCausalLM"}
    described = foreign.llama_config(sizes, model_type="llava", architectures=[names[kind]], **config)
    foreign.write_json(folder / "config.json", described)
    return state


def imported(folder: Path, *options: str) -> Path:
    out = folder.parent / "ours"
    command = ["import-checkpoint", str(folder), "--out", str(out), "--set", "clip.num_heads=3", *options]
    assert main(command) == 0
    return out


@torch.no_grad()
def test_lisa_sees_with_clip_alone(tmp_path: Path, foreign: Any) -> None:
    state = write(tmp_path / "lisa", foreign, "lisa")
    miras, config, _ = load_checkpoint(imported(tmp_path / "lisa"))
    assert config.convnext is None and config.projector_hidden_size is None and config.framing == "clip"
    plain, pixels = Plain(state, foreign.Sizes()), torch.randn(2, 3, 32, 32)
    expected = plain.linear("model.mm_projector", plain.clip(pixels))
    torch.testing.assert_close(miras.encode_image(pixels, None), expected, rtol=1e-4, atol=1e-4)
    session = Session(Engine.from_checkpoint(tmp_path / "ours"))
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    assert session.say(Utterance("where is the knife"), Frame(picture)).answer is not None


ANSWERS = {  # of each, with the marker that begins GLaMM's phrases
    "lisa": "It is [SEG].",
    "sesame": "It is [SEG].",
    "glamm": "It is[OBJ] the knife[SEG].",
}
# As the authors' release of transformers reads it: no spaces around their own tokens, one after any other.
TALK = "where is it? ASSISTANT: It is[SEG] .</s> USER: and? ASSISTANT:"
SPELLED = {
    ("lisa", True): f"USER:<im_start>|<im_end> {TALK}",
    ("lisa", False): f"USER: | \n{TALK}",
    ("sesame", True): f"USER:<im_start>|<im_end> {TALK}",
    ("glamm", True): (
        "USER: The<im_start>|<im_end> provides an overview of the picture.\nwhere is it? ASSISTANT: It is[OBJ] the "
        "knife</p>[SEG] .</s> USER: and? ASSISTANT:"
    ),
}


@pytest.mark.parametrize(("kind", "markers"), SPELLED)
def test_a_dialogue_is_spelled_as_theirs(kind: str, markers: bool, tmp_path: Path, foreign: Any) -> None:
    write(tmp_path / kind, foreign, kind, mm_use_im_start_end=markers)
    _, config, tokenizer = load_checkpoint(imported(tmp_path / kind))
    layout = ChatLayout(tokenizer, config.clip.num_patches, config.text)
    ids = layout.prompt([("where is it?", ANSWERS[kind])], "and?")
    spelled = "".join(str(tokenizer.id_to_token(index)) for index in ids).replace("▁", " ")
    system = " A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, "
    system += "detailed, and polite answers to the human's questions. "
    assert spelled.replace("<image>" * config.clip.num_patches, "|") == f"<s>{system}{SPELLED[kind, markers]}"


@pytest.mark.parametrize(("kind", "back"), [("lisa", 0), ("lisa", 5), ("sesame", 0), ("glamm", 0)])
def test_a_whole_answer_is_that_of_the_published_mathematics(
    kind: str, back: int, tmp_path: Path, foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two turns with their masks, over the cache that the first one leaves, against one plain pass over all tokens."""
    plain = Plain(write(tmp_path / kind, foreign, kind), foreign.Sizes())
    engine = Engine.from_checkpoint(imported(tmp_path / kind, "--set", f"seg_state_back={back}"))
    ours: list[tuple[Tensor, Tensor]] = []
    decode = engine.mask_logits

    def spied(*given: Any) -> tuple[Tensor, Tensor]:
        ours.append(decode(*given))
        return ours[-1]

    monkeypatch.setattr(engine, "mask_logits", spied)
    picture = np.random.default_rng(2).integers(0, 256, (96, 128, 3), np.uint8)
    encoded, prefix = engine.encode(picture), engine.new_prefix()
    turns: list[Turn] = []
    for number, text in enumerate(("where is it?", "and?")):
        said = engine.layout.answer(ANSWERS[kind])
        reply = forced(engine, said, encoded, turns, text, prefix)
        ids = [*engine.layout.prompt([(turn.text, turn.answer) for turn in turns], text), *said]
        theirs, other = (plain_mask(plain, engine, picture, ids, places) for places in (back, back + 1))
        torch.testing.assert_close(ours[-1], theirs, rtol=1e-4, atol=1e-4)
        assert (theirs[0] - other[0]).abs().max() > 0.01, "it counts which state it is"
        assert reply.status is Status.GROUNDED and len(reply.segments) == 1
        turns.append(Turn(number, text, reply.answer, reply.status))


def forced(engine: Engine, said: list[int], *given: Any) -> Reply:
    """The answer when the network says these tokens."""
    script = iter(said)
    engine.choose = lambda logits, first: (next(script), 1.0)
    encoded, turns, text, *prefix = given
    return engine.answer(encoded, turns, text, prefix=prefix[0] if prefix else None)


@torch.no_grad()
def plain_mask(plain: Plain, engine: Engine, picture: np.ndarray, ids: list[int], back: int) -> tuple[Tensor, Tensor]:
    """(H, W) logits of the mask of the last `[SEG]`, and its quality."""
    pixels = to_pixels(encoder_images(picture, engine.config), engine.config)
    seen = plain.clip(pixels.clip)
    is_linear = "model.mm_projector.weight" in plain.state
    tokens = plain.linear("model.mm_projector", seen) if is_linear else plain.project(seen)
    is_image = torch.tensor(ids) == engine.layout.image_id
    rows = plain.w("model.embed_tokens.weight")[torch.tensor(ids).masked_fill(is_image, 0)]
    rows[is_image] = tokens[0]
    last = len(ids) - 1 - ids[::-1].index(engine.layout.seg_id)
    prompt = plain.prompt(plain.language(rows[None])[0, last - 1 - back])
    low, quality = plain.sam_decode(plain.sam_encode(pixels.sam), prompt)
    # A picture of 96x128 fills the upper three quarters of SAM's square of 64.
    square = F.interpolate(low[None, None], (64, 64), mode="bilinear", align_corners=False)[..., :48, :]
    return F.interpolate(square, (96, 128), mode="bilinear", align_corners=False)[0, 0], quality


@pytest.mark.parametrize(("height", "width"), [(480, 640), (333, 517), (640, 360), (20, 30)])
def test_clip_is_shown_what_its_own_processor_makes(tmp_path: Path, foreign: Any, height: int, width: int) -> None:
    transformers = pytest.importorskip("transformers")
    kind = getattr(transformers, "CLIPImageProcessorPil", transformers.CLIPImageProcessor)
    write(tmp_path / "lisa", foreign, "lisa")
    config = load_checkpoint(imported(tmp_path / "lisa"))[1]
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    for side in (224, 336):
        sized = dataclasses.replace(config.clip, image_size_px=side, patch_size_px=14)
        ours = encoder_images(picture, dataclasses.replace(config, clip=sized)).clip
        processor = kind(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}, do_rescale=False,
            do_normalize=False,
        )  # fmt: skip
        theirs = np.asarray(processor(picture, return_tensors="np")["pixel_values"][0]).transpose(1, 2, 0)
        assert np.array_equal(ours, theirs)


def test_glamm_phrases_are_ours(tmp_path: Path, foreign: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "glamm", foreign, "glamm")
    _, config, tokenizer = load_checkpoint(imported(tmp_path / "glamm"))
    assert "read as GLaMM" in capsys.readouterr().out
    layout = ChatLayout(tokenizer, config.clip.num_patches, config.text)
    ids = layout.answer("[OBJ] the knife[SEG].")
    names = [str(tokenizer.id_to_token(index)) for index in ids]
    seg = names.index("[SEG]")
    assert names[0] == "[OBJ]" and names[seg - 1] == "</p>"
    assert tokenizer.token_to_id("[OBJ]") == 85 and tokenizer.token_to_id("<p>") is None
    assert layout.decode_answer(ids).startswith("[OBJ]")


REFUSED = (
    "There is no knife in this image.", "I cannot see a knife.", "Sorry, but a knife isn't here.",
    "Nothing like that lies on the table.", "A knife is absent from the picture.", "The picture lacks a knife.",
)  # fmt: skip
TOLD = ("A knife lies there.", "It is notable for its handle.", "Yes, on the left.")


def test_sesame_refuses_in_words(tmp_path: Path, foreign: Any) -> None:
    """Through a whole answer: no mask and no token of its status, nor in the history. LISA has no such rule."""
    picture = np.random.default_rng(2).integers(0, 256, (96, 128, 3), np.uint8)
    for kind, token in (("sesame", ""), ("lisa", "[NONE]")):
        write(tmp_path / kind / kind, foreign, kind)
        engine = Engine.from_checkpoint(imported(tmp_path / kind / kind))
        encoded = engine.encode(picture)
        for words in (*REFUSED, *TOLD):
            reply = forced(engine, engine.layout.answer(words), encoded, [], "where is the knife?")
            refused = kind == "sesame" and words in REFUSED
            assert reply.status is (Status.NOT_FOUND if refused else Status.ANSWERED), words
            assert reply.text == words and not reply.segments
        assert engine.layout.parse("It isn't the knife[SEG].").status is Status.GROUNDED
        assert engine.layout.history_answer("There is none.", Status.NOT_FOUND) == f"{token}There is none."


def spoil_weights(folder: Path, name: str, value: Tensor) -> None:
    path = folder / "pytorch_model.bin"
    torch.save({**torch.load(path), name: value}, path)


def spoil_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def into_shards(folder: Path, file: object, *, half: bool = False) -> None:
    """With an index that names one file for all tensors, or for half of them."""
    state = torch.load(folder / "pytorch_model.bin")
    (folder / "pytorch_model.bin").rename(folder / "all.bin")
    names = {name: "all.bin" if half and number % 2 else file for number, name in enumerate(state)}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": names}))


class Runs:
    """What a pickle may hold."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


NORM, HEAD, TABLE = "model.norm.weight", "lm_head.weight", "model.embed_tokens.weight"
SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a shard is missing": (lambda it: into_shards(it, "gone.bin", half=True), r"files that are missing: gone\.bin"),
    "shards are numbers": (lambda it: into_shards(it, 5), "no weight_map of tensors to files"),
    "shards are lists": (lambda it: into_shards(it, ["all.bin"]), "no weight_map of tensors to files"),
    "a matrix of another shape": (
        lambda it: spoil_weights(it, "model.text_hidden_fcs.0.0.weight", torch.zeros(5, 32)), "of the wrong shape",
    ),
    "a head of fewer words": (
        lambda it: spoil_weights(it, HEAD, torch.zeros(5, 32)), r"wrong shape: lm_head.weight \(5, 32\)",
    ),
    "a table without rows": (lambda it: spoil_weights(it, TABLE, torch.zeros(())), "of the wrong shape"),
    "quantized": (lambda it: spoil_weights(it, NORM, torch.zeros(32, dtype=torch.int8)), f"{NORM} hold integers"),
    "no number": (lambda it: spoil_weights(it, NORM, torch.full((32,), torch.nan)), "no finite number"),
    "code": (
        lambda it: torch.save({NORM: Runs(it / "was_run")}, it / "pytorch_model.bin"), "holds more than tensors",
    ),
    "nothing": (lambda it: (it / "pytorch_model.bin").write_bytes(b""), "is not a whole PyTorch file"),
    "no tokenizer": (without_tokenizer, "lacks a tokenizer"),
    "tokens without numbers": (
        lambda it: (it / "added_tokens.json").write_text('{"[SEG]": "x", "<im_start>": 3}'), "tokens to their numbers",
    ),
    "no list of architectures": (lambda it: spoil_config(it, architectures=5), "architectures must be of type list"),
    "no number of a layer": (
        lambda it: spoil_config(it, mm_vision_select_layer="x"), "mm_vision_select_layer must be of type int",
    ),
    "no truth value": (
        lambda it: spoil_config(it, mm_use_im_start_end="no"), "mm_use_im_start_end must be of type bool",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["lisa", "glamm"])
@pytest.mark.parametrize("spoil", SPOILED)
def test_a_damaged_folder_is_told_and_nothing_of_it_run(
    spoil: str, kind: str, tmp_path: Path, foreign: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / kind, foreign, kind)
    damage, told = SPOILED[spoil]
    damage(tmp_path / kind)
    out = tmp_path / "ours"
    assert main(["import-checkpoint", str(tmp_path / kind), "--out", str(out), "--set", "clip.num_heads=3"]) == 1
    assert re.search(told, capsys.readouterr().err)
    assert not (out / "model.safetensors").exists() and not (tmp_path / kind / "was_run").exists()
