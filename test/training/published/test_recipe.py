"""The published recipe on a network of next to no size: stages, trained parts, the merge, many processes, kills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import load_checkpoint, save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.settings import load_config, read_yaml
from pixelrs_ros.text.answer import parse
from pixelrs_ros.training.config import RecipeConfig
from pixelrs_ros.training.published.recipe import Recipe, merge, recompute_activations
from pixelrs_ros.training.simulated.run import train
from pixelrs_ros.types import Frame, Utterance

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "config" / "training" / "miras-7b.yaml"
STATE = "state.safetensors"
Configure = Callable[..., Path]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Path:
    """An untrained network as a checkpoint folder."""
    from pixelrs_ros.model.build import build_miras

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("start")
    save_checkpoint(folder, build_miras(debug_config, debug_tokenizer.get_vocab_size()), debug_config, debug_tokenizer)
    return folder


@pytest.fixture(scope="module")
def configure(start: Path, data_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Configure:
    """Writes the published recipe with tiny data, a tiny network and few steps; a change may be of a nested key."""

    def write(out: Path, **changes: Any) -> Path:
        content = read_yaml(PUBLISHED)
        images = str(data_sets / "images")
        content |= {"start": str(start), "out": str(out), "engine": {"seed": 3}}
        files = {
            "label_maps": {"label_maps": str(data_sets / "label_maps"), "names": str(data_sets / "names.txt")},
            "coco": {"annotations": str(data_sets / "instances.json")},
            "referring": {"refs": str(data_sets / "refs.json"), "instances": str(data_sets / "instances.json")},
            "prist": {"folder": str(data_sets / "prist"), "split": "train"},
            "conversations": {"annotations": str(data_sets / "vqa.json")},
        }
        for kind, sources in content["sources"].items():
            for source in sources.values():
                source.update(files[kind])
                if "images" in source:
                    source["images"] = images
        for stage in content["stages"].values():
            stage["pace"] |= {"steps": 3, "batch_size": 4, "warmup_steps": 0, "evaluate_every": 1}
            stage["num_eval"] = 2
        for key, value in changes.items():
            *parents, last = key.split("__")
            inner = content
            for parent in parents:
                inner = inner[parent]
            inner[last] = value
        path = tmp_path_factory.mktemp("config") / "recipe.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture(scope="module")
def finished(configure: Configure, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both stages, from the first to the last step."""
    torch.set_num_threads(1)  # as the processes have that are killed: two would add up in another order
    out = tmp_path_factory.mktemp("runs") / "finished"
    train(configure(out))
    return out


def weights(path: Path) -> dict[str, torch.Tensor]:
    return {name: value for name, value in load_file(path / STATE).items() if name.startswith("model.")}


def test_the_published_recipe_has_the_published_numbers() -> None:
    config = load_config(RecipeConfig, PUBLISHED)
    trainable, lora = config.trainable, config.trainable.lora
    assert lora is not None
    assert (lora.r, lora.alpha, lora.dropout, lora.target_modules) == (8, 16, 0.05, ("q_proj", "v_proj"))
    assert trainable.embeddings and trainable.segmentation_prompt and trainable.mask_decoder
    assert config.engine.precision == "bf16"
    for stage in config.stages.values():
        losses = stage.losses
        assert losses.cross_entropy == 1 and 0.5 <= losses.dice <= 0.75
        assert 1 <= losses.focal <= 2 and 0.25 <= losses.boundary <= 0.5
        assert (losses.focal_alpha, losses.focal_gamma) == (0.8, 2)
        assert (stage.pace.learning_rate, stage.pace.betas) == (3e-4, (0.9, 0.95))
    instruction = config.stages["instruction"].mixture
    assert instruction["prist"] == 5 * instruction["llava"]


def test_what_a_recipe_leaves_out_is_as_published(configure: Configure, tmp_path: Path) -> None:
    content = read_yaml(configure(tmp_path))
    del content["trainable"], content["stages"]["alignment"]["losses"]
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(content))
    short, published = load_config(RecipeConfig, path), load_config(RecipeConfig, PUBLISHED)
    assert short.trainable == published.trainable
    losses = short.stages["alignment"].losses
    assert losses.cross_entropy == 1 and 0.5 <= losses.dice <= 0.75
    assert 1 <= losses.focal <= 2 and 0.25 <= losses.boundary <= 0.5


def test_each_stage_trains_exactly_its_parts_and_goes_on_from_the_last(finished: Path, start: Path) -> None:
    before = load_file(start / "model.safetensors")
    alignment, instruction = (weights(finished / name) for name in ("alignment", "instruction"))
    parts = ("embed_tokens", "language.lm_head", "segmentation_prompt", "pointer", "sam.mask_decoder", "lora_")
    trained = {name for name in alignment if any(part in name for part in parts)}
    assert len([name for name in trained if "lora_" in name]) == 2 * 2 * 2  # layers, q and v, A and B
    buffers = alignment.keys() - trained
    assert buffers == {"model.sam.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"}
    # No gradient: SAM's other masks, its score without a loss on it, and keys' biases, which softmax does not see.
    still = ("hypernetworks_mlps", "iou_prediction", "k_proj.bias", "pointer.key.bias")
    for name in (name for name in trained if not any(part in name for part in still)):
        first = before.get(name.removeprefix("model.").replace(".base_layer", ""))
        assert first is None or (alignment[name] - first.float()).abs().max() > 1e-4, name
        assert not torch.equal(alignment[name], instruction[name]), name
    moved = max(float((alignment[name] - instruction[name]).abs().max()) for name in trained)
    assert moved < 3 * 3 * 3e-4, "the second stage did not begin where the first ended"


def test_stages_log_for_people_and_for_tensorboard(finished: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for stage in ("alignment", "instruction"):
        records = [json.loads(line) for line in (finished / stage / "log.jsonl").read_text().splitlines()]
        assert [record["step"] for record in records] == [1, 2, 3]
        assert {"loss", "words", "dice", "focal", "boundary", "iou", "val_words", "val_iou"} <= records[0].keys()
        assert all(np.isfinite(value) for record in records for value in record.values())
        board = EventAccumulator(str(finished / stage / "tensorboard")).Reload()
        assert [event.step for event in board.Scalars("val_words")] == [1, 2, 3]
        assert board.Scalars("loss")[-1].value == pytest.approx(records[-1]["loss"], abs=1e-4)
        assert (finished / stage / "curves.png").read_bytes().startswith(b"\x89PNG")


def read_by(miras: Miras, ids: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return miras.language.eval()(input_ids=ids, use_cache=False).logits


def test_merged_logits_are_the_adapters(finished: Path, configure: Configure, tmp_path: Path) -> None:
    recipe = Recipe(load_config(RecipeConfig, configure(finished)), "fp32")
    ids = torch.randint(0, 300, (2, 12), generator=torch.Generator().manual_seed(0))
    for name, parameter in recipe.miras.named_parameters():
        if "lora_B" in name:  # as after a long training, so that there is something to merge
            torch.nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(len(name)))
    plain = read_by(load_checkpoint(recipe.config.start)[0], ids)
    adapted = read_by(recipe.miras, ids)
    recipe.merge_into(tmp_path)
    assert (read_by(recipe.miras, ids) - adapted).abs().max() < 1e-5
    assert (adapted - plain).abs().max() > 1e-2
    loaded, _, _ = load_checkpoint(tmp_path)
    assert not [name for name, _ in loaded.named_parameters() if "lora" in name]
    assert torch.allclose(read_by(loaded, ids), adapted, atol=2e-2)  # rounded to fp16 on its way through the file


def test_the_finished_checkpoint_answers_and_any_stage_can_be_merged(
    finished: Path, configure: Configure, tmp_path: Path
) -> None:
    reply = Session(Engine.from_checkpoint(finished / "checkpoint")).say(
        Utterance("Where is it?"), Frame(np.full((40, 60, 3), 90, np.uint8))
    )
    assert reply.latency_ms["total"] > 0
    assert parse(reply.answer).text == reply.text
    merge(configure(finished), "alignment", tmp_path)
    first, last = (load_checkpoint(folder)[0].state_dict() for folder in (tmp_path, finished / "checkpoint"))
    assert first.keys() == last.keys()
    assert not torch.equal(first["language.lm_head.weight"], last["language.lm_head.weight"])


def start_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300)


def test_a_killed_run_resumes_to_the_same_bits(
    finished: Path, configure: Configure, tmp_path: Path, train_until_killed: Callable[..., None]
) -> None:
    config = configure(tmp_path)
    train_until_killed(2, "--config", str(config), "--phase", "alignment")
    folder = tmp_path / "alignment"
    assert (folder / "state.tmp").is_file() and len((folder / "log.jsonl").read_text().splitlines()) == 2
    expected, half = load_file(finished / "alignment" / STATE), load_file(folder / STATE)
    assert not torch.equal(half["model.language.lm_head.weight"], expected["model.language.lm_head.weight"])
    torch.set_num_threads(1)
    train(config, ["alignment"])
    resumed = load_file(folder / STATE)
    assert resumed.keys() == expected.keys()
    assert not [name for name in expected if not torch.equal(resumed[name], expected[name])]
    logs = [(out / "alignment" / "log.jsonl").read_text() for out in (tmp_path, finished)]
    assert logs[0] == logs[1]


def test_two_processes_train_what_one_does_with_twice_the_batch(configure: Configure, tmp_path: Path) -> None:
    """Of four examples a step each process takes two; their numbers of words and masks differ."""
    changes: dict[str, Any] = {"trainable__lora__dropout": 0.0, "stages__alignment__pace__learning_rate": 1e-3}
    one, two, halves = (
        configure(tmp_path / name, **changes, stages__alignment__pace__gradient_accumulation=accumulation)
        for name, accumulation in (("one", 1), ("two", 1), ("halves", 2))
    )
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "pixelrs_ros.cli")
    process = start_process(*launch, "train", "--config", str(two), "--phase", "alignment")
    assert process.returncode == 0, process.stderr
    with safe_open(tmp_path / "two" / "alignment" / STATE, framework="pt") as file:
        assert json.loads(file.metadata()["progress"])["processes"] == 2
    for path in (one, halves):
        train(path, ["alignment"])
    alone, together, in_halves = (weights(tmp_path / name / "alignment") for name in ("one", "two", "halves"))
    before = weights_of_start(one)
    moved = max(float((alone[name] - before[name]).abs().max()) for name in alone)
    for other in (together, in_halves):
        apart = max(float((alone[name] - other[name]).abs().max()) for name in alone)
        assert apart < 1e-5 < 1e-2 * moved, f"{apart:.2e} apart after moving by {moved:.2e}"
    logs = [json.loads((tmp_path / n / "alignment" / "log.jsonl").read_text().splitlines()[0]) for n in ("one", "two")]
    assert logs[0] == pytest.approx(logs[1], abs=1e-4)


def weights_of_start(config: Path) -> dict[str, torch.Tensor]:
    state = Recipe(load_config(RecipeConfig, config), "fp32").miras.state_dict()
    return {f"model.{name}": value for name, value in state.items()}


def test_only_what_is_trained_is_held_in_fp32(configure: Configure, tmp_path: Path, start: Path) -> None:
    recipe = Recipe(load_config(RecipeConfig, configure(tmp_path)), "bf16")
    matrices = {name: value for name, value in recipe.miras.named_parameters() if value.ndim > 1}
    assert {value.dtype for value in recipe.miras.parameters() if value.ndim < 2} == {torch.float32}
    for trained, dtype in ((True, torch.float32), (False, torch.bfloat16)):
        assert {value.dtype for value in matrices.values() if value.requires_grad == trained} == {dtype}
    stored = load_file(start / "model.safetensors")["language.lm_head.weight"]
    assert torch.equal(recipe.miras.language.lm_head.weight, stored.float()), "rounded on its way"


def test_bf16_and_every_optional_part_train(configure: Configure, tmp_path: Path) -> None:
    optional = {"fusion_and_projector": True, "clip_upper_half": True, "convnext_last_blocks": 2}
    config = configure(
        tmp_path, engine={"seed": 1, "precision": "bf16"},
        **{f"trainable__{name}": value for name, value in optional.items()},
    )  # fmt: skip
    before = weights_of_start(config)
    train(config, ["alignment"], until=2)
    after = weights(tmp_path / "alignment")
    for part in ("clip.vision_model.encoder.layers.0", "convnext.stages.3", "convnext.stages.2", "fusion", "projector"):
        mine = [name for name in after if name.startswith(f"model.{part}.")]
        assert mine and all(after[name].dtype == torch.float32 for name in mine)
        assert any(not torch.equal(after[name], before[name]) for name in mine), part
    assert not [name for name in after if name.startswith("model.convnext.stages.1")]


def test_what_is_wrong_is_named(configure: Configure, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown stage 'dream'; known: alignment, instruction"):
        train(configure(tmp_path), ["dream"])
    with pytest.raises(CheckpointError, match="run the phase 'alignment' first"):
        train(configure(tmp_path), ["instruction"])
    with pytest.raises(CheckpointError, match="no checkpoint folder"):
        train(configure(tmp_path, start=str(tmp_path / "nothing")))
    with pytest.raises(ConfigError, match=r"no source is named vision; known: prist"):
        train(configure(tmp_path, stages__alignment__mixture={"vision": 1}))
    with pytest.raises(ConfigError, match="mixture must have finite rates above 0"):
        train(configure(tmp_path, stages__alignment__mixture={"ade20k": 0}))
    with pytest.raises(ConfigError, match=r"batch_size 4 must be a multiple .* 3"):
        train(configure(tmp_path, stages__alignment__pace__gradient_accumulation=3))
    with pytest.raises(ConfigError, match="stages must name at least one stage"):
        train(configure(tmp_path, stages={}))
    with pytest.raises(ConfigError, match=r"dice must be a finite number of at least 0, got -1"):
        train(configure(tmp_path, stages__alignment__losses__dice=-1))
    with pytest.raises(ConfigError, match=r"betas must be two numbers in \[0, 1\)"):
        train(configure(tmp_path, stages__alignment__pace__betas=[0.9, 1.5]))
    with pytest.raises(ConfigError, match="schedule 'wave'"):
        train(configure(tmp_path, stages__alignment__pace__schedule="wave"))
    with pytest.raises(ConfigError, match="precision must be no or bf16"):
        train(configure(tmp_path, engine={"seed": 1, "precision": "int4"}))
    with pytest.raises(ConfigError, match=r"lora\.target_modules: "):
        train(configure(tmp_path, trainable__lora__target_modules=["nothing"]))
    with pytest.raises(ConfigError, match=r"is the start, .* remedy: write to another folder"):
        merge(configure(finished, start=str(tmp_path)), "alignment", tmp_path)
    other = configure(finished, trainable__lora__r=4)
    with pytest.raises(CheckpointError, match=r"alignment/state\.safetensors does not fit .* of the wrong shape"):
        merge(other, "alignment", tmp_path)


@pytest.mark.parametrize("name", ["activation_checkpointing_enable", "gradient_checkpointing_enable"])
def test_activations_are_recomputed_by_the_name_that_this_transformers_has(name: str) -> None:
    asked: list[dict[str, bool]] = []
    recompute_activations(SimpleNamespace(**{name: asked.append}))
    assert asked == [{"use_reentrant": False}]
