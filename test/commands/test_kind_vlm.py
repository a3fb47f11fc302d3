"""Every command that takes a checkpoint, with one of kind vlm: it works, or it says clearly why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_vlm import write_vlm

from pixelrs_ros import cli
from pixelrs_ros.config import VlmConfig
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.engine.vlm.engine import VlmEngine
from pixelrs_ros.engine.vlm.loading import empty_parts
from pixelrs_ros.model import memory
from pixelrs_ros.model.build import count_parameters

# What each prints; random weights say nonsense, which evaluations count. With `calibrate` they have no mask to learn
# from; test/evaluation/test_unanswered.py makes them say something. The node: test/ros/perception/test_vlm_node.py.
WORKS = {
    "evaluate": (("--data", "DATA", "--split", "train"), "turns without an answer"),
    "calibrate": (("--data", "DATA", "--split", "train"), "only 0 last answers have a mask"),
    "segment": (("PICTURE", "--say", "the mug", "--out", "OUT"), "the language model said"),
    "measure-3d": (("--masks", "network", "--scenes", "1"), "errors in mm"),
    "info": ((), "sam.mask_decoder"),
}
REFUSED = {
    "export": (),
    "familiarize": ("--data", "DATA", "--split", "train", "--held-out", "train"),
    "bench": ("--no-ros", "--json", "OUT"),
    "measure-tracking": ("--json", "OUT"),
}
ELSEWHERE = {
    "bench-fleet": "its nodes load as the perception node does",
    "bench-speech": "needs espeak-ng; asks with `load_engine` as `evaluate` does",
    "measure-grasps": "takes minutes; asks with `load_engine` as `measure-3d` does",
    "doctor": "test/doctor/test_vlm.py; the whole command takes a minute",
    "train": "--checkpoint is where it writes; where it starts: test/training/test_start.py",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vlm(tmp_path_factory.mktemp("vlm") / "it", max_answer_tokens=20)


def run(command: str, arguments: tuple[str, ...], folder: Path, data_sets: Path, tmp_path: Path) -> int:
    names = {
        "DATA": str(data_sets / "prist"),
        "PICTURE": str(data_sets / "images" / "0.jpg"),
        "OUT": str(tmp_path / "out"),
    }
    return cli.main([command, "--checkpoint", str(folder), *(names.get(one, one) for one in arguments)])


def test_no_command_is_forgotten() -> None:
    parser = cli.build_parser()
    (commands,) = (action for action in parser._actions if action.choices)
    assert isinstance(commands.choices, dict)
    takers = {name for name, one in commands.choices.items() if "--checkpoint" in one.format_usage()}
    assert takers == {*WORKS, *REFUSED, *ELSEWHERE}


@pytest.mark.parametrize("command", WORKS)
def test_it_works(
    command: str, folder: Path, data_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, told = WORKS[command]
    run(command, arguments, folder, data_sets, tmp_path)
    said = capsys.readouterr()
    assert told in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", REFUSED)
def test_it_says_why_not(
    command: str, folder: Path, data_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert run(command, REFUSED[command], folder, data_sets, tmp_path) == 1
    said = capsys.readouterr().err
    assert f"pixelrs {command}: {folder} is of kind vlm" in said and "only a MIRAS can be" in said
    assert sorted(folder.rglob("*")) == before, "nothing is left in it"


def test_the_memory_of_training_is_not_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--checkpoint", str(folder), "--training", "any.yaml"]) == 1
    assert "kind vlm, which is not trained here" in capsys.readouterr().err


def test_parts_and_parameters_are_those_that_loading_gives(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_answerer(folder)
    assert isinstance(engine, VlmEngine)
    model = engine.qwen.model
    counts = memory.parameters(empty_parts(folder, engine.config))
    assert counts["vision"] == count_parameters(model.model.visual)
    assert sum(counts.values()) == count_parameters(model) + count_parameters(engine.sam.model)
    assert cli.main(["info", "--checkpoint", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f"{sum(counts.values()):,}" in printed and "up to 1200 tokens, 980 of them the picture's" in printed


def test_the_published_size_has_the_published_parameters(folder: Path, tmp_path: Path) -> None:
    """Qwen3-VL-2B, whose safetensors on the hub hold 2,127,532,032, the shared table once."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    content = {
        "model_type": "qwen3_vl",
        "tie_word_embeddings": True,
        "text_config": {
            "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16,
            "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": True,
        },
        "vision_config": {
            "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16, "patch_size": 16,
            "out_hidden_size": 2048, "deepstack_visual_indexes": [5, 11, 17], "num_position_embeddings": 2304,
        },
    }  # fmt: skip
    (tmp_path / "vlm" / "config.json").write_text(json.dumps(content))
    parts = empty_parts(tmp_path, VlmConfig(kind="vlm"))
    counts = memory.parameters(parts)
    assert sum(count for name, count in counts.items() if not name.startswith("sam.")) == 2_127_532_032
    assert "head" not in counts and all(one.is_meta for one in parts.parameters())
    assert memory.cache_bytes_per_token(parts) == 2 * 28 * 8 * 128 * 2
    linear = 28 * (2048 * (2 * 16 + 2 * 8) * 128 + 3 * 2048 * 6144)
    saved = sum(memory.weight_bytes(parts)["bf16"].values()) - sum(memory.weight_bytes(parts)["int8"].values())
    assert saved == pytest.approx(linear, rel=0.01)
