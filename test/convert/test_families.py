"""LISA, SESAME and GLaMM as their authors save them, through the real command; the mathematics is `plain_miras`'s."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_miras import Plain
from torch import Tensor

from pixelrs_ros.checkpoint import load_checkpoint
from pixelrs_ros.cli import main
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.images import encoder_images
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.types import Frame, Status, Utterance

GLAMM_TOKENS = ("<im_start>", "<im_end>", "<bbox>", "<point>", "[SEG]", "<p>", "</p>")


def write(folder: Path, foreign: Any, kind: str) -> dict[str, Tensor]:
    """A checkpoint of that family, CLIP included, with a linear projector for LISA."""
    added = GLAMM_TOKENS if kind == "glamm" else ("[SEG]", "<im_start>", "<im_end>")
    sizes = foreign.Sizes(vocabulary=80 + len(added))
    foreign.write_tokenizer(folder, added)
    shapes = {k: v for k, v in foreign.reference_shapes(sizes).items() if "_aux" not in k and "vlm_uni" not in k}
    if kind == "lisa":
        shapes = {k: v for k, v in shapes.items() if "mm_projector" not in k}
        shapes |= {"model.mm_projector.weight": (32, 24), "model.mm_projector.bias": (32,)}
    state: dict[str, Tensor] = foreign.random_state(shapes)
    if kind == "glamm":
        state = {k.replace("visual_model", "grounding_encoder"): v for k, v in state.items()}
        state["model.region_encoder.flatten_linear.weight"] = torch.zeros(2, 2)
    torch.save(state, folder / "pytorch_model.bin")
    names = {"lisa": "LISAForCausalLM", "glamm": "GLaMMForCausalLM", "sesame": "SESAMEForCausalLM"}
    foreign.write_json(
        folder / "config.json", foreign.llama_config(sizes, model_type="llava", architectures=[names[kind]])
    )
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


def test_sesame_refuses_in_words(tmp_path: Path, foreign: Any) -> None:
    write(tmp_path / "sesame", foreign, "sesame")
    _, config, tokenizer = load_checkpoint(imported(tmp_path / "sesame"))
    layout = ChatLayout(tokenizer, config.clip.num_patches, config.text)
    assert layout.parse("There is no knife in this image.").status is Status.NOT_FOUND
    assert layout.parse("It isn't the knife[SEG].").status is Status.GROUNDED
    assert layout.parse("A knife lies there.").status is Status.ANSWERED
