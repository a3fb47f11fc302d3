from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import Hub, own_world, serving, write_table
from tiny_vlm import write_vlm

NAME = "tiny_sam2"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vlm(tmp_path_factory.mktemp("tiny") / "it")


@pytest.fixture
def home(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's own world, with a table of one name that has the checksums of `tiny`."""
    own_world(monkeypatch, tmp_path)
    needed = {"vlm": ("config.json", "preprocessor_config.json", "tokenizer.json"), "sam": ("config.json",)}
    parts: dict[str, Any] = {
        role: {
            "repo": f"tiny/{role}",
            "files": {**{name: {} for name in names}, "model.safetensors": known(tiny / role / "model.safetensors")},
        }
        for role, names in needed.items()
    }
    write_table(tmp_path / "published.yaml", NAME, "vlm", parts)
    return tmp_path


def known(path: Path) -> dict[str, object]:
    return {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture
def hub(home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub with both parts of `tiny`."""
    with serving(monkeypatch, {"tiny/vlm": tiny / "vlm", "tiny/sam": tiny / "sam"}) as hub:
        yield hub
