from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hub import COMMIT, Hub, serving
from huggingface_hub import constants
from tiny_vlm import write_vlm

from pixelrs_ros import shipped

NAME = "tiny_sam2"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vlm(tmp_path_factory.mktemp("tiny") / "it")


@pytest.fixture
def home(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's own world: where data goes, the hub's cache, and a table of one name with the checksums of `tiny`."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)  # what came of a smaller file would be forgotten
    monkeypatch.setattr(shipped, "PUBLISHED", tmp_path / "published.yaml")
    write_table(tmp_path, tiny)
    return tmp_path


def write_table(home: Path, tiny: Path, **changed: object) -> None:
    """The table; `changed`: other values of both parts."""
    needed = {"vlm": ("config.json", "preprocessor_config.json", "tokenizer.json"), "sam": ("config.json",)}
    parts = {
        role: {
            "repo": f"tiny/{role}", "revision": COMMIT, "license": "Apache-2.0", "gb": 0.001,
            "files": {**{name: {} for name in names}, "model.safetensors": known(tiny / role / "model.safetensors")},
            **changed,
        }
        for role, names in needed.items()
    }  # fmt: skip
    weights = {
        "kind": "vlm", "parts": {"vlm": "vlm", "sam": "sam"}, "license": "Free as air.", "about": "nothing at all",
        "memory": {"parameters": 10, "linear": 5, "cache_bytes_per_token": 2, "context_tokens": 3},
    }  # fmt: skip
    (home / "published.yaml").write_text(yaml.safe_dump({"parts": parts, "weights": {NAME: weights}}))


def known(path: Path) -> dict[str, object]:
    return {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture
def hub(home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub with both parts of `tiny`."""
    with serving(monkeypatch, {"tiny/vlm": tiny / "vlm", "tiny/sam": tiny / "sam"}) as hub:
        yield hub
