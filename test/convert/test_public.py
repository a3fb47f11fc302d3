"""Public parts with tiny random weights, in exactly their formats, names and shapes, through the real command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelrs_ros.checkpoint import load_checkpoint
from pixelrs_ros.cli import main
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.types import Frame, Utterance


def assembled(tmp_path: Path, options: list[str]) -> Path:
    out = tmp_path / "miras"
    assert main(["assemble", *options, "--set", "convnext.image_size_px=64", "--out", str(out)]) == 0
    return out


def test_the_parts_lie_where_they_belong(parts: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    miras, config, tokenizer = load_checkpoint(assembled(tmp_path, parts.options()))
    ours = miras.state_dict()
    clip, convnext = parts.state["clip"], parts.state["convnext"]
    for name, expected in (
        ("clip.vision_model.pre_layrnorm.bias", clip["vision_model.pre_layrnorm.bias"]),
        ("convnext.embeddings.layernorm.weight", convnext["visual.trunk.stem.1.weight"]),
        ("convnext.stages.2.downsampling_layer.1.weight", convnext["visual.trunk.stages.2.downsample.1.weight"]),
        ("convnext.stages.1.layers.1.pwconv2.bias", convnext["visual.trunk.stages.1.blocks.1.mlp.fc2.bias"]),
        ("language.model.layers.1.mlp.up_proj.weight", parts.state["language"]["model.layers.1.mlp.up_proj.weight"]),
        ("sam.mask_decoder.iou_token.weight", parts.state["sam"]["mask_decoder.iou_token.weight"]),
    ):
        assert torch.equal(ours[name], expected), name
    assert config.clip.mean == (0.5, 0.4, 0.3) and config.clip.num_heads == 3
    assert (config.sam.window_size, config.sam.global_attn_indexes, config.sam.num_heads) == (3, (1,), 2)
    arguments = config.language.arguments
    assert arguments["rms_norm_eps"] == 1e-3 and arguments["rope_parameters"]["rope_theta"] == 5000.0
    rows = ours["language.lm_head.weight"]
    assert torch.allclose(rows[tokenizer.get_vocab()["[SEG]"]], parts.state["language"]["lm_head.weight"].mean(0))
    said = capsys.readouterr().out
    assert "fusion: no part given has it, begins untrained" in said and "projector: no part" in said
    assert "8 tensors are of no use here: visual.trunk.norm_pre.weight" in said


def test_an_untrained_fusion_adds_nothing_yet(parts: Any, tmp_path: Path) -> None:
    miras, _, _ = load_checkpoint(assembled(tmp_path, parts.options()))
    clip, convnext = torch.randn(1, 3, 32, 32), torch.randn(1, 3, 64, 64)
    assert torch.equal(miras.fuse(clip, convnext), miras.clip(clip))
    assert miras.encode_image(clip, convnext).std() > 0.01


def test_what_was_assembled_answers_and_is_described(parts: Any, tmp_path: Path, capsys: Any) -> None:
    out = assembled(tmp_path, parts.options())
    picture = torch.arange(3 * 40 * 60).remainder(251).reshape(40, 60, 3).to(torch.uint8).numpy()
    assert Session(Engine.from_checkpoint(out)).say(Utterance("where is it"), Frame(picture)).answer is not None
    assert main(["info", "--checkpoint", str(out)]) == 0
    assert "sam.mask_decoder" in capsys.readouterr().out


def test_mini_gemini_goes_before_a_llava(parts: Any, tmp_path: Path, foreign: Any, sizes: Any) -> None:
    joints = foreign.random_state(foreign.connector_shapes(sizes), seed=3)
    llava = {name: value for name, value in joints.items() if "mm_projector" in name}
    tower = {"model.vision_tower.vision_tower.vision_model.embeddings.class_embedding": torch.zeros(24)}
    save_file({**parts.state["language"], **llava, **tower}, parts.language / "model.safetensors")
    out = assembled(tmp_path, parts.options())
    ours = load_checkpoint(out)[0].state_dict()
    assert torch.equal(ours["projector.2.weight"], joints["model.mm_projector.2.weight"])

    other = foreign.random_state(foreign.connector_shapes(sizes), seed=4)
    torch.save(other, tmp_path / "mm_projector.bin")
    ours = load_checkpoint(assembled(tmp_path, parts.options(mini_gemini=tmp_path / "mm_projector.bin")))[
        0
    ].state_dict()
    assert torch.equal(ours["projector.2.weight"], other["model.mm_projector.2.weight"])
    for name, theirs in (("query", "query"), ("key", "aux"), ("value", "val")):
        expected = other[f"model.vlm_uni_{theirs}_projector.1.weight"]
        assert torch.equal(ours[f"fusion.{name}_projector.1.weight"], expected)


def test_llava_in_transformers_own_format(parts: Any, tmp_path: Path, foreign: Any, sizes: Any) -> None:
    joints = foreign.random_state(foreign.connector_shapes(sizes), seed=3)
    state = {f"language_model.{name}": value for name, value in parts.state["language"].items()}
    state["vision_tower.vision_model.embeddings.class_embedding"] = torch.zeros(24)
    for place, theirs in ((1, 0), (2, 2)):
        for kind in ("weight", "bias"):
            state[f"multi_modal_projector.linear_{place}.{kind}"] = joints[f"model.mm_projector.{theirs}.{kind}"]
    save_file(state, parts.language / "model.safetensors")
    inner = foreign.llama_config(sizes)
    foreign.write_json(parts.language / "config.json", {"model_type": "llava", "text_config": inner})
    ours = load_checkpoint(assembled(tmp_path, parts.options()))[0].state_dict()
    assert torch.equal(ours["projector.0.bias"], joints["model.mm_projector.0.bias"])
    assert torch.equal(ours["language.model.norm.weight"], parts.state["language"]["model.norm.weight"])


def test_transformers_formats_of_the_eyes(parts: Any, tmp_path: Path, foreign: Any, sizes: Any) -> None:
    """transformers writes both itself; its own forward is what ours must equal."""
    from transformers import CLIPVisionConfig, CLIPVisionModel, ConvNextConfig, ConvNextModel

    torch.manual_seed(0)
    clip = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=6, image_size=32,
            patch_size=8, hidden_act="gelu", layer_norm_eps=1e-3, initializer_factor=8.0,
        )
    ).eval()  # fmt: skip
    convnext = ConvNextModel(ConvNextConfig(depths=list(sizes.depths), hidden_sizes=list(sizes.dims))).eval()
    for parameter in convnext.parameters():
        parameter.data.add_(0.2 * torch.randn_like(parameter))
    clip.save_pretrained(tmp_path / "clip5")
    convnext.save_pretrained(tmp_path / "convnext5")
    options = parts.options(clip=tmp_path / "clip5", convnext=tmp_path / "convnext5")
    miras, config, _ = load_checkpoint(assembled(tmp_path, options))
    assert (config.clip.hidden_act, config.clip.layer_norm_eps, config.clip.num_heads) == ("gelu", 1e-3, 6)
    pixels = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        expected = clip(pixel_values=pixels, output_hidden_states=True).hidden_states[-2][:, 1:]
        torch.testing.assert_close(miras.clip(pixels), expected, rtol=1e-4, atol=1e-4)
        large = torch.randn(1, 3, 64, 64)
        last = convnext(pixel_values=large).last_hidden_state
        grid = torch.nn.functional.interpolate(last, size=(48, 48), mode="bilinear", align_corners=False)
        assert miras.convnext is not None
        torch.testing.assert_close(miras.convnext(large)[:, -20:], grid, rtol=1e-4, atol=1e-4)


def test_any_language_model_with_its_own_chat_template(parts: Any, tmp_path: Path, foreign: Any) -> None:
    language = foreign.write_qwen(tmp_path / "qwen", parts.language / "tokenizer.json")
    miras, config, adopted = load_checkpoint(assembled(tmp_path, parts.options(language=tmp_path / "qwen")))
    assert type(miras.language).__name__ == "Qwen2ForCausalLM"
    template = config.text.template
    assert template.start == "<|im_start|>user\n<image>\n" and template.end == "<|im_end|>"
    assert template.user == "\n<|im_start|>user\n" and template.assistant == "<|im_end|>\n<|im_start|>assistant\n"
    rows, own = miras.language.state_dict()["lm_head.weight"], language.state_dict()["lm_head.weight"]
    assert miras.language.get_output_embeddings().weight is miras.language.get_input_embeddings().weight
    assert torch.equal(rows[:82], own[:82]) and len(rows) == 96
    assert torch.allclose(rows[adopted.get_vocab()["[SEG]"]], own[:82].mean(0), atol=1e-6)


def test_a_tied_table_is_found_under_either_name_and_written_once(parts: Any, tmp_path: Path, foreign: Any) -> None:
    foreign.write_qwen(tmp_path / "qwen", parts.language / "tokenizer.json")
    stored = load_file(tmp_path / "qwen" / "model.safetensors")
    table = stored.pop("model.embed_tokens.weight")
    for named in ({"lm_head.weight": table}, {"lm_head.weight": table, "model.embed_tokens.weight": table.clone()}):
        save_file({**stored, **named}, tmp_path / "qwen" / "model.safetensors")
        out = assembled(tmp_path, parts.options(language=tmp_path / "qwen"))
        assert "language.lm_head.weight" not in load_file(out / "model.safetensors")
        ours = load_checkpoint(out)[0].state_dict()["language.lm_head.weight"]
        assert torch.equal(ours[:82], table[:82])


def test_a_check_writes_nothing(parts: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert main(["assemble", *parts.options(), "--check"]) == 0
    assert "sam: 188 tensors from" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


def test_every_part_that_does_not_fit_is_listed(parts: Any, tmp_path: Path, capsys: Any) -> None:
    del parts.state["sam"]["mask_decoder.mask_tokens.weight"]
    torch.save({**parts.state["sam"], "box_decoder.weight": torch.zeros(2)}, parts.sam)
    language = parts.state["language"]
    save_file(
        {**language, "model.layers.1.mlp.up_proj.weight": torch.zeros(3, 3)}, parts.language / "model.safetensors"
    )
    assert main(["assemble", *parts.options(), "--check"]) == 1
    said = capsys.readouterr().err
    assert "missing: mask_decoder.mask_tokens.weight" in said and "left over: box_decoder.weight" in said
    assert "of the wrong shape: model.layers.1.mlp.up_proj.weight (3, 3) instead of (48, 32)" in said


@pytest.mark.parametrize(
    ("swapped", "said"),
    [
        ({"clip": "sam"}, "--clip .* is none of: transformers' CLIP"),
        ({"sam": "convnext"}, "--sam .* is none of: Segment Anything"),
        ({"language": "clip"}, "clip holds no language model"),
    ],
)
def test_parts_given_for_one_another(parts: Any, capsys: Any, swapped: dict[str, str], said: str) -> None:
    options = parts.options(**{name: getattr(parts, other) for name, other in swapped.items()})
    assert main(["assemble", *options, "--check"]) == 1
    assert re.search(said, capsys.readouterr().err)


def test_a_setting_that_names_nothing(parts: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assemble", *parts.options(), "--check", "--set", "clip.heads=3"]) == 1
    assert "--set: unknown key clip.heads" in capsys.readouterr().err
    assert main(["assemble", *parts.options(), "--check", "--set", "nothing"]) == 1
    assert "--set nothing: must be section.key=value" in capsys.readouterr().err


def test_published_shapes(foreign: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every published name finds its place at its published shape, in files that hold no bytes but their headers."""
    sizes = foreign.PUBLISHED
    folder = tmp_path / "merged"
    foreign.write_tokenizer(folder, ("[SEG]", "<im_start>", "<im_end>"))
    foreign.write_json(folder / "config.json", {**foreign.llama_config(sizes), "model_type": "mgm"})
    write_hollow(folder / "model.safetensors", foreign.reference_shapes(sizes))
    assert main(["import-checkpoint", str(folder), "--check"]) == 0
    said = capsys.readouterr().out
    for part, count in (("clip", 391), ("convnext", 340), ("language", 291), ("sam", 594)):
        assert f"{part}: {count} tensors from" in said
    assert "of no use" not in said and "untrained" not in said


def write_hollow(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * torch.Size(shape).numel()
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": (begin, end)}
    encoded = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        file.truncate(8 + len(encoded) + end)
