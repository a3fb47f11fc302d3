"""The comparison of language models, end to end for a few steps; what the one that starts from MiniLM starts with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest
import torch
import yaml

from pixelrs_ros.settings import load_config
from pixelrs_ros.training.config import TrainConfig
from pixelrs_ros.training.simulated.parts import READER, part
from pixelrs_ros.training.simulated.talk import WORD_SCALE

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "compare_language_models.py"
CONFIGS = ROOT / "config" / "training" / "language_models"
NAMES = ("minilm", "nothing", "reader")


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped configurations, on a handful of scenes."""
    folder = tmp_path_factory.mktemp("language_models")
    for name in NAMES:
        content: dict[str, object] = {"base": str(CONFIGS / f"{name}.yaml"), "out": str(folder / "runs" / name)}
        content |= {"bank": str(folder / "bank"), "parts": str(folder / "parts"), "scenes": 6, "val_scenes": 2}
        content |= {"workers": 1, "phases": {"talk": {"batch_size": 2, "warmup_steps": 1}}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_all_are_trained_and_asked_the_same(configs: Path) -> None:
    out = configs / "results.json"
    command = [sys.executable, str(SCRIPT), "--configs", str(configs), "--minutes", "0.01", "--scenes", "5"]
    done = subprocess.run(
        [*command, "--out", str(out)],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    whole = json.loads(out.read_text())
    assert "--minutes 0.01 --scenes 5" in whole["made with"]["command"]
    results = whole["results"]
    assert [one["name"] for one in results] == list(NAMES)
    for one in results:
        assert f"| `{one['name']}` | " in done.stdout
        assert one["rows"] == 2 * one["steps"] > 0 and one["cpu_min"] > 0
        assert one["voices"]["count"] == 5 and one["pairs"]["count"] % 2 == 0
        for shares in (one["voices"]["seeing"], one["voices"]["blind"]):
            assert 0 <= shares["right"] <= shares["status"] <= 1
    for name in ("voices", "wishes", "pairs"):
        assert len({one[name]["count"] for one in results}) == 1
    minilm, nothing, reader = (one["learned"] for one in results)
    assert minilm > nothing > reader  # as MiniLM's words and the reader stay as they are


def test_minilm_as_a_language_model_begins_with_words_as_it_knows_them(configs: Path) -> None:
    script = run_path(str(SCRIPT))
    config = load_config(TrainConfig, configs / "minilm.yaml")
    script["draw_scenes"](config)
    run, phase = script["make"](config)
    state = part(Path(config.parts) / READER, dict)
    pieces = torch.tensor([[2011, 77, 5]])
    known = known_embeddings(state, pieces)
    bert = run.miras.language.bert
    start = len(run.layout.prefix())
    embedded = phase.module.reader.projector(pieces.unsqueeze(-1))
    positions = torch.arange(start, start + 3).unsqueeze(0)
    with torch.no_grad():
        begun = bert.embeddings(inputs_embeds=embedded, position_ids=positions)
    torch.testing.assert_close(begun, known, atol=1e-4, rtol=1e-4)
    layer = "encoder.layer.5.output.dense.weight"
    torch.testing.assert_close(bert.get_parameter(layer), state[layer])
    assert embedded.std() == pytest.approx(WORD_SCALE, rel=0.3)


def known_embeddings(state: dict[str, torch.Tensor], pieces: torch.Tensor) -> torch.Tensor:
    """What MiniLM's own embedding layer gives for word pieces at its first positions."""
    table = {name.removeprefix("embeddings."): value for name, value in state.items() if name.startswith("embeddings.")}
    total = table["word_embeddings.weight"][pieces] + table["position_embeddings.weight"][: pieces.shape[1]]
    total = total + table["token_type_embeddings.weight"][0]
    weight, bias = table["LayerNorm.weight"], table["LayerNorm.bias"]
    return torch.nn.functional.layer_norm(total, weight.shape, weight, bias, eps=1e-12)
