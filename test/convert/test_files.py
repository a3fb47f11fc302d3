from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelrs_ros.convert.files import open_weights, read_json
from pixelrs_ros.convert.writing import Entry, write_safetensors
from pixelrs_ros.errors import CheckpointError

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2]), "c": torch.tensor(2.5).bfloat16()}


def same(path: Path) -> None:
    stored = open_weights(path)
    assert stored.keys() == STATE.keys()
    for name, value in STATE.items():
        assert (stored[name].shape, stored[name].dtype) == (tuple(value.shape), value.dtype)
        assert torch.equal(stored[name].read(), value)


@pytest.mark.parametrize("name", ["model.safetensors", "open_clip_model.safetensors", "any.safetensors"])
def test_safetensors(tmp_path: Path, name: str) -> None:
    save_file(STATE, tmp_path / name)
    same(tmp_path / name)
    same(tmp_path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "open_clip_pytorch_model.bin", "sam.pth"])
@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state, "epoch": 3}])
@pytest.mark.parametrize("zipped", [True, False])
def test_pytorch(tmp_path: Path, name: str, wrap: Any, zipped: bool) -> None:
    torch.save(wrap(STATE), tmp_path / name, _use_new_zipfile_serialization=zipped)
    same(tmp_path / name)
    same(tmp_path)


def test_safetensors_go_first(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "model.safetensors")
    torch.save({"other": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    same(tmp_path)


def test_parallel_training_leaves_a_prefix(tmp_path: Path) -> None:
    torch.save({f"module.{name}": value for name, value in STATE.items()}, tmp_path / "epoch.pt")
    same(tmp_path / "epoch.pt")


class Command:
    """What a pickle can hold, and why it is not loaded."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("touched"),))


def test_a_pickle_that_could_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": torch.zeros(1), "more": Command()}, tmp_path / "sam.pth")
    with pytest.raises(CheckpointError, match=r"sam\.pth holds more than tensors.*remedy.*state_dict"):
        open_weights(tmp_path / "sam.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match=r"bare\.pth"):
        open_weights(tmp_path / "bare.pth")
    assert not (tmp_path / "touched").exists()


def test_what_is_no_tensor_is_named(tmp_path: Path) -> None:
    torch.save({**STATE, "epoch": 3}, tmp_path / "last.pth")
    with pytest.raises(CheckpointError, match=r"holds what is no tensor: epoch"):
        open_weights(tmp_path / "last.pth")


@pytest.mark.parametrize("keep", [0, 5, 60, -4])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_truncated_files_are_named(tmp_path: Path, name: str, keep: int) -> None:
    (save_file if name.endswith("safetensors") else torch.save)(STATE, tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=rf"{name} .*remedy"):
        open_weights(tmp_path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no file or folder .*/gone"):
        open_weights(tmp_path / "gone")
    (tmp_path / "one.bin").touch()
    (tmp_path / "two.bin").touch()
    with pytest.raises(CheckpointError, match=r"weight files there: one\.bin, two\.bin; remedy: name the file itself"):
        open_weights(tmp_path)


def test_an_index_that_promises_too_much(tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": dict.fromkeys([*STATE, "d"], "part.safetensors")}))
    with pytest.raises(CheckpointError, match=r"names files that are missing: part\.safetensors"):
        open_weights(tmp_path)
    save_file(STATE, tmp_path / "part.safetensors")
    with pytest.raises(CheckpointError, match="names tensors that its files lack: d"):
        open_weights(tmp_path)
    index.write_text("{")
    with pytest.raises(CheckpointError, match="is not JSON"):
        open_weights(tmp_path)
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        read_json(tmp_path / "config.json")


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    entries = {name: Entry(tuple(value.shape), value.dtype, value.clone) for name, value in STATE.items()}
    entries["d"] = Entry((2, 3), torch.float16, STATE["a.weight"].clone)
    write_safetensors(tmp_path / "model.safetensors", entries)
    written = load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(written[name], value) for name, value in STATE.items())
    assert torch.equal(written["d"], STATE["a.weight"].half())
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_file_that_fails_on_the_way_is_not_left_behind(tmp_path: Path) -> None:
    def fail() -> torch.Tensor:
        raise OSError("the disk went away")

    entries = {"a": Entry((2,), torch.float32, lambda: torch.zeros(2)), "b": Entry((2,), torch.float32, fail)}
    with pytest.raises(CheckpointError, match="cannot be written: the disk went away"):
        write_safetensors(tmp_path / "model.safetensors", entries)
    assert not list(tmp_path.iterdir())
