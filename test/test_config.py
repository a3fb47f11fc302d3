import copy
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelrs_ros.config import PRESETS_DIR, MirasConfig, load_preset
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.settings import from_mapping, load_config, read_yaml, to_mapping
from pixelrs_ros.training.config import RecipeConfig, TrainConfig

TRAINING_DIR = Path(__file__).parent.parent / "config" / "training"
PRESETS = sorted(path.stem for path in PRESETS_DIR.glob("*.yaml"))
TRAININGS = sorted(str(path.relative_to(TRAINING_DIR)) for path in TRAINING_DIR.rglob("*.yaml"))


@pytest.mark.parametrize("name", PRESETS)
def test_shipped_presets_load_and_go_round(name: str) -> None:
    config = load_preset(name)
    assert config.require_high_resolution().grid_size == 2 * config.clip.grid_size
    assert from_mapping(MirasConfig, yaml.safe_load(yaml.safe_dump(to_mapping(config)))) == config


@pytest.mark.parametrize("name", TRAININGS)
def test_shipped_training_runs_load_and_go_round(name: str) -> None:
    path = TRAINING_DIR / name
    if "stages" in read_yaml(path):
        recipe = load_config(RecipeConfig, path)
        assert from_mapping(RecipeConfig, to_mapping(recipe)) == recipe
        return
    config = load_config(TrainConfig, path)
    assert config.sizes()
    assert from_mapping(TrainConfig, to_mapping(config)) == config


def test_something_is_shipped() -> None:
    assert {"nano", "debug", "miras-7b"} <= set(PRESETS)
    assert {"nano_gpu.yaml", "debug.yaml", "miras-7b.yaml", "ablations/no_fusion.yaml"} <= set(TRAININGS)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("clip.depth", 3, r"unknown key clip\.depth"),
        ("eyes", {}, r"unknown key eyes; known here: clip, convnext"),
        ("clip.num_layer", 3, r"unknown key clip\.num_layer; did you mean num_layers\?; known here: image_size_px"),
        ("clip.mean", "gray", r"clip\.mean must be a list"),
        ("clip.mean", [0.5, "0.5", 0.5], r"clip\.mean\[1\] must be float"),
        ("clip.num_layers", 2.5, r"clip\.num_layers must be int"),
        ("clip.num_layers", True, r"clip\.num_layers must be int"),
        ("sam.use_rel_pos", 1, r"sam\.use_rel_pos must be bool"),
        ("sam", None, r"sam must be a mapping"),
        ("language.arguments", [], r"language\.arguments must be a mapping"),
        ("clip.select_layer", 0, r"clip\.select_layer"),
        ("clip.image_size_px", 33, r"clip\.image_size_px"),
        ("clip.num_heads", 3, r"clip\.hidden_size"),
        ("convnext.depths", [1, 1], r"convnext\.depths"),
        ("convnext.image_size_px", 65, r"convnext\.image_size_px"),
        ("convnext.grid_size", 9, r"convnext\.grid_size must be a multiple of CLIP's grid \(4; .*got 9"),
        ("sam.num_heads", 3, r"sam\.embed_dim"),
        ("sam.prompt_dim", 34, r"sam\.prompt_dim"),
        ("sam.global_attn_indexes", [2], r"sam\.global_attn_indexes"),
        ("sam.window_size", -1, r"sam\.window_size"),
        ("sam.std", [1.0, 1.0], r"sam\.mean and std"),
        ("sam.std", [1.0, 1.0, float("nan")], r"sam\.std must be finite"),
        ("convnext.std", [1.0, 0.0, 1.0], r"convnext\.std must be greater than 0"),
        ("language.arguments.num_attention_heads", 0, r"language\.arguments\.num_attention_heads"),
        ("language.arguments.hidden_size", "32", r"language\.arguments\.hidden_size"),
        ("text.max_context_tokens", 64, r"text\.max_context_tokens must be greater than the 64 tokens"),
        ("text.max_context_tokens", 513, r"text\.max_context_tokens must not exceed .*\(512\), got 513"),
        ("text.template.end", 1, r"text\.template\.end must be str"),
        ("reader.num_heads", 0, r"reader\.num_heads must be greater than 0"),
        ("framing", "stretch", r"detail needs framing pad"),
    ],
)
def test_wrong_values_name_their_key(path: str, value: Any, named: str) -> None:
    data = copy.deepcopy(to_mapping(load_preset("debug")))
    *parents, key = path.split(".")
    inner = data
    for parent in parents:
        inner = inner[parent]
    inner[key] = value
    with pytest.raises(ConfigError, match=named):
        from_mapping(MirasConfig, data)


SIZES = [
    f"{part}.{field.name}"
    for part in ("clip", "convnext", "sam", "text")
    for field in dataclasses.fields(getattr(load_preset("debug"), part))
    if type(getattr(getattr(load_preset("debug"), part), field.name)) is int
    and field.name not in ("select_layer", "window_size")
]


@pytest.mark.parametrize("path", [*SIZES, "convnext.depths", "convnext.hidden_sizes", "projector_hidden_size"])
@pytest.mark.parametrize("value", [0, -4])
def test_sizes_of_nothing_and_below_are_named(path: str, value: int) -> None:
    data = copy.deepcopy(to_mapping(load_preset("debug")))
    inner = data
    *parents, key = path.split(".")
    for parent in parents:
        inner = inner[parent]
    inner[key] = [4, value, 4, 4] if isinstance(inner[key], list) else value
    with pytest.raises(ConfigError, match=path.replace(".", r"\.") + rf" must be greater than 0, got {value}"):
        from_mapping(MirasConfig, data)


@pytest.mark.parametrize(
    ("adapter", "named"),
    [
        ({"r": 0}, r"^trainable\.lora: r must be greater than 0"),
        ({"alpha": 0}, r"^trainable\.lora: alpha must be greater than 0"),
        ({"dropout": 1.0}, r"^trainable\.lora: dropout must lie in \[0, 1\)"),
        ({"target_modules": []}, r"^trainable\.lora: target_modules must name"),
    ],
)
def test_adapters_of_nothing_are_named(adapter: dict[str, Any], named: str) -> None:
    data = to_mapping(load_config(RecipeConfig, TRAINING_DIR / "miras-7b.yaml"))
    data["trainable"]["lora"].update(adapter)
    with pytest.raises(ConfigError, match=named):
        from_mapping(RecipeConfig, data)


def test_what_a_dataclass_refuses_is_placed_in_the_file() -> None:
    data = to_mapping(load_config(TrainConfig, TRAINING_DIR / "debug.yaml"))
    data["phases"]["see"]["optimizer"] = "sgd"
    with pytest.raises(ConfigError, match=r"^phases\.see: optimizer must be adamw or muon, got 'sgd'$"):
        from_mapping(TrainConfig, data)


@pytest.mark.parametrize("path", ["text", "text.lowercase_user", "sam.std"])
def test_missing_keys_are_named(path: str) -> None:
    data = to_mapping(load_preset("debug"))
    *parents, key = path.split(".")
    inner = data
    for parent in parents:
        inner = inner[parent]
    del inner[key]
    with pytest.raises(ConfigError, match=f"missing key {path}"):
        from_mapping(MirasConfig, data)


@dataclass(frozen=True)
class Optional:
    name: str | None
    count: int = 3


def test_defaults_and_none() -> None:
    assert from_mapping(Optional, {"name": None}) == Optional(None, 3)
    assert from_mapping(Optional, {"name": "a", "count": 4}) == Optional("a", 4)
    with pytest.raises(ConfigError, match="name must be str"):
        from_mapping(Optional, {"name": 1})
    with pytest.raises(ConfigError, match="Optional must be a mapping"):
        from_mapping(Optional, None)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    for content in (b"a: [", b"\xff\xfe\x00", b"- a"):
        broken.write_bytes(content)
        with pytest.raises(ConfigError, match=r"broken\.yaml"):
            load_config(MirasConfig, broken)
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=tmp_path.name):
        read_yaml(tmp_path)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'giant'; known: .*nano"):
        load_preset("giant")


def test_a_base_gives_what_a_file_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "first.yaml").write_text("seed: 1\nphases: {see: {steps: 5, batch_size: 2}, talk: {steps: 7}}\n")
    (tmp_path / "inner" / "second.yaml").write_text("base: ../first.yaml\nphases: {see: {steps: 6}}\n")
    (tmp_path / "third.yaml").write_text("base: inner/second.yaml\nseed: null\n")
    phases = {"see": {"steps": 6, "batch_size": 2}, "talk": {"steps": 7}}
    assert read_yaml(tmp_path / "third.yaml") == {"seed": None, "phases": phases}


def test_a_base_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("base: b.yaml\n")
    with pytest.raises(ConfigError, match=r"no configuration file .*b\.yaml"):
        read_yaml(path)
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    with pytest.raises(ConfigError, match=r"b\.yaml is its own base"):
        read_yaml(path)
    (tmp_path / "b.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match=r"b\.yaml is no mapping, and cannot be the base of .*a\.yaml"):
        read_yaml(path)


def test_a_network_that_is_changed_into_none_is_refused() -> None:
    content = read_yaml(TRAINING_DIR / "debug.yaml")
    with pytest.raises(ConfigError, match="unknown key fussion; did you mean fusion"):
        from_mapping(TrainConfig, {**content, "network": {"fussion": False}}).sizes()
    with pytest.raises(ConfigError, match="without fusion and detail nothing would use the convnext"):
        from_mapping(TrainConfig, {**content, "network": {"fusion": False, "detail": False}}).sizes()
    with pytest.raises(ConfigError, match="network changes a start only with fresh parts"):
        ground = {"ground": content["phases"]["ground"]}
        from_mapping(TrainConfig, {**content, "phases": ground, "start": "nano", "network": {"fusion": False}})


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("steps: 4\npace: {steps: 1, seed: 2, steps: 3}\n")
    with pytest.raises(ConfigError, match="the key 'steps' is there twice"):
        read_yaml(tmp_path / "twice.yaml")
    (tmp_path / "merged.yaml").write_text("pace: &pace {steps: 1}\nother:\n  <<: *pace\n  steps: 3\n")
    assert read_yaml(tmp_path / "merged.yaml")["other"] == {"steps": 3}
