"""The table of public weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrs_ros import shipped
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.published import Part, published
from pixelrs_ros.shipped import resolve

PARTS = {part.repo: part for weights in published().values() for part in weights.parts.values()}


def test_every_name_has_the_parts_of_its_kind() -> None:
    wanted = {"vlm": {"vlm", "sam"}, "lisa": {"model", "clip"}}
    assert {name: set(weights.parts) for name, weights in published().items()} == {
        name: wanted[weights.kind] for name, weights in published().items()
    }
    assert all(weights.license and weights.about for weights in published().values())


@pytest.mark.parametrize("part", PARTS.values(), ids=list(PARTS))
def test_sizes_agree_and_weights_are_named(part: Part) -> None:
    known = sum(file.bytes or 0 for file in part.files.values()) / 1e9
    assert known <= part.gb + 0.006
    if all(file.bytes for name, file in part.files.items() if not name.endswith(".json")):
        assert known == pytest.approx(part.gb, abs=0.006)
    assert any(name.endswith((".safetensors", ".bin")) for name in part.files)
    assert all(file.sha256 for file in part.files.values() if (file.bytes or 0) > 1e8)


def test_memory_is_that_of_the_files() -> None:
    """Where all weights are in bf16, but for SAM's and CLIP's few."""
    for name in ("qwen3-vl-2b_sam2", "qwen3-vl-4b_sam2", "qwen2.5-vl-7b_sam2"):
        weights = published()[name]
        stored = weights.parts["vlm"].gb / 2 + weights.parts["sam"].gb / 4
        assert weights.memory.parameters / 1e9 == pytest.approx(stored, rel=0.01), name
        assert weights.memory.linear < weights.memory.parameters


@pytest.mark.parametrize(("key", "value"), [("revision", "main"), ("sha256", "abc")])
def test_what_is_no_commit_or_checksum_is_refused(
    key: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shipped.PUBLISHED.read_text(encoding="utf-8")
    before = next(line for line in text.splitlines() if line.strip().startswith(f"{key}: "))
    (tmp_path / "published.yaml").write_text(text.replace(before, f"{before.split(':')[0]}: {value}"), encoding="utf-8")
    monkeypatch.setattr(shipped, "PUBLISHED", tmp_path / "published.yaml")
    with pytest.raises(ConfigError, match=f"{key}.*{value}"):
        published()


def test_names_that_can_be_fetched_are_known_to_whoever_looks_for_a_checkpoint() -> None:
    for name in published():
        with pytest.raises(CheckpointError, match=f"pixelrs fetch {name}"):
            resolve(name)
    with pytest.raises(CheckpointError, match="did you mean lisa-7b-v1"):
        resolve("lisa-7b")


def test_a_relative_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "somewhere")
    assert shipped.data_dir() == Path.home() / ".local/share/pixelrs_ros"
