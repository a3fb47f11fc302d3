from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pixelrs_ros.cli import main
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.build import build_miras, count_parameters
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.settings import load_config
from pixelrs_ros.training.config import EngineConfig, RecipeConfig
from pixelrs_ros.training.published.memory import training_memory

RECIPE = Path(__file__).parents[3] / "config" / "training" / "miras-7b.yaml"


def empty(config: MirasConfig) -> Miras:
    return build_miras(config, 300, empty=True)


def test_weights_gradients_and_moments_are_counted(debug_config: MirasConfig) -> None:
    recipe = load_config(RecipeConfig, RECIPE)
    parts = empty(debug_config)
    whole = count_parameters(parts)
    assert parts.pointer is not None
    trained = sum(map(count_parameters, (parts.segmentation_prompt, parts.pointer, parts.sam.mask_decoder)))
    trained += 2 * 300 * 32
    trained += 2 * 2 * 2 * 8 * 32  # LoRA: two layers, q and v, A and B of rank 8
    adapter = 2 * 2 * 2 * 8 * 32
    needed = training_memory(empty(debug_config), debug_config, recipe, batch=1)
    assert needed["trained weights (fp32)"] == needed["gradients (fp32)"] == 4 * trained
    assert needed["AdamW's moments (fp32)"] == 8 * trained
    assert needed["frozen weights"] == 2 * (whole + adapter - trained)
    single = dataclasses.replace(recipe, engine=EngineConfig(seed=0, precision="no"))
    assert (
        training_memory(empty(debug_config), debug_config, single, 1)["frozen weights"] == 2 * needed["frozen weights"]
    )


def test_activations_grow_with_the_batch_and_shrink_with_checkpointing(debug_config: MirasConfig) -> None:
    recipe = load_config(RecipeConfig, RECIPE)
    name = "activations of the language model"
    one, three = (training_memory(empty(debug_config), debug_config, recipe, batch)[name] for batch in (1, 3))
    assert three == 3 * one
    kept = dataclasses.replace(recipe, gradient_checkpointing=False)
    tokens_and_units = debug_config.text.max_context_tokens * 32
    expected = one + tokens_and_units * (2 * 34 - (2 * 2 + 34))  # two layers whole, instead of their inputs and one
    assert training_memory(empty(debug_config), debug_config, kept, 1)[name] == expected


def test_info_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--preset", "debug", "--vocab-size", "300", "--training", str(RECIPE), "--batch", "2"]) == 0
    printed = capsys.readouterr().out
    assert "training with miras-7b.yaml, 2 at once" in printed and "frozen weights" in printed
