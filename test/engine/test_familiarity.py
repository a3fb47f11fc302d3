"""Whether a picture is like those of the training, from its image tokens alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pixelrs_ros.checkpoint import FAMILIARITY
from pixelrs_ros.engine.familiarity import Familiarity, features, fit, load, lowered
from pixelrs_ros.errors import CheckpointError, DataError

HIDDEN = 12


def pictures(count: int, seed: int, shift: float = 0.0) -> list[torch.Tensor]:
    """Image tokens, (1, 20, HIDDEN): in three ways they vary from picture to picture, and a little within each."""
    generator = torch.Generator().manual_seed(seed)
    ways = torch.randn(3, HIDDEN, generator=torch.Generator().manual_seed(0))
    found = []
    for _ in range(count):
        base = torch.randn(3, generator=generator) @ ways + shift
        found.append((base + 0.3 * torch.randn(20, HIDDEN, generator=generator))[None])
    return found


def learned() -> Familiarity:
    return fit(*(np.stack([features(one) for one in pictures(*which)]) for which in ((300, 1), (200, 2))))


def test_pictures_like_those_learned_are_familiar_and_others_are_not() -> None:
    familiarity = learned()
    usual = [familiarity.novelty(one) for one in pictures(300, 3)]
    assert np.mean(np.array(usual) > 1) < 0.04
    assert min(familiarity.novelty(one) for one in pictures(50, 4, shift=3.0)) > 1.5
    louder = [familiarity.novelty(one + torch.randn(one.shape, generator=torch.Generator().manual_seed(5)))
              for one in pictures(20, 6)]  # fmt: skip
    assert min(louder) > 1.0, "the same on average, but with more going on in it"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    familiarity = learned()
    familiarity.save(tmp_path)
    again = load(tmp_path, HIDDEN)
    assert again is not None
    for one in pictures(5, 7):
        assert again.novelty(one) == pytest.approx(familiarity.novelty(one), rel=1e-5)
    assert load(tmp_path / "elsewhere", HIDDEN) is None


def test_a_file_of_another_network_or_of_none_is_refused(tmp_path: Path) -> None:
    learned().save(tmp_path)
    with pytest.raises(CheckpointError, match=r"of another network.*pixelrs familiarize"):
        load(tmp_path, HIDDEN + 1)
    (tmp_path / FAMILIARITY).write_bytes((tmp_path / FAMILIARITY).read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"cannot be read.*pixelrs familiarize"):
        load(tmp_path, HIDDEN)


def test_too_few_pictures_tell_nothing() -> None:
    few = np.zeros((31, 2 * HIDDEN))
    with pytest.raises(DataError, match="31 and 40 pictures are too few"):
        fit(few, np.zeros((40, 2 * HIDDEN)))


def test_a_score_is_lowered_beyond_the_limit_alone() -> None:
    assert lowered(0.8, 0.0) == lowered(0.8, 0.9) == lowered(0.8, 1.0) == 0.8
    assert 0.8 > lowered(0.8, 1.1) > lowered(0.8, 1.2) > lowered(0.8, 2.0) > 0.0
    assert lowered(0.8, 2.0) < 0.1
