"""Scenes as arrays: shards that appear while training runs, and truths computed from their maps."""

from __future__ import annotations

import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.training.simulated.bank import (
    ROWS,
    SHARD,
    Bank,
    BankConfig,
    draw_shard,
    fields,
    make_layout,
    shard_path,
    told,
)
from pixelrs_ros.training.simulated.concepts import COLOR_NAMES, KIND_NAMES, NUM_COLORS, NUM_KINDS, PART_NAMES, SIZES
from pixelrs_ros.training.simulated.packing import MAX_OBJECTS
from pixelrs_ros.training.simulated.run import imagined_things
from pixelrs_ros.training.simulated.scenes import Scenes, centers, cover
from pixelrs_ros.types import Status

COUNT = 3
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    layout = make_layout(debug_tokenizer, debug_config)
    config = BankConfig("train", 1, debug_config.sam.image_size_px, layout.vocab_size)
    draw_shard(shard_path(folder, "train", 0), 0, COUNT, config, layout)
    return folder


def test_a_shard_holds_what_it_says(drawn: Path, debug_config: MirasConfig) -> None:
    side = debug_config.sam.image_size_px
    bank = Bank(drawn, "train", CPU, side, most=COUNT)
    assert len(bank) == COUNT
    batch = bank.batch(torch.arange(COUNT), torch.arange(COUNT) % ROWS)
    assert batch.keys() == fields(side).keys()
    for image, size, objects, kinds in zip(
        batch["image"], batch["size"], batch["objects"], batch["kinds"], strict=True
    ):
        height, width = size.tolist()
        assert max(height, width) == side and not image[height:].any() and not image[:, width:].any()
        assert image[:height, :width].float().std() > 10 and not objects[height:].any()
        shown = set(objects.unique().tolist()) - {0}
        assert len(shown) >= 2 and shown <= set(kinds.nonzero()[:, 0].tolist())
    assert (batch["ids"] >= 0).sum(dim=1).min() > 20, "rows are full of conversations"


def test_a_shard_that_is_drawn_meanwhile_is_taken_in(drawn: Path, debug_config: MirasConfig, tmp_path: Path) -> None:
    shutil.copytree(drawn / "train", tmp_path / "train")
    bank = Bank(tmp_path, "train", CPU, debug_config.sam.image_size_px, most=COUNT + 1)
    first = bank.batch(torch.arange(COUNT), torch.zeros(COUNT, dtype=torch.long))
    with np.load(shard_path(drawn, "train", 0)) as file:
        turned = {name: file[name][::-1] for name in file.files}
    (tmp_path / "train" / "00001.partial.npz").write_bytes(b"half of it")
    bank.refresh()
    assert len(bank) == COUNT, "it is not whole yet"
    np.savez(shard_path(tmp_path, "train", 1), **turned)
    bank.refresh()
    bank.refresh()
    assert len(bank) == 2 * COUNT
    later = bank.batch(torch.arange(COUNT, 2 * COUNT), torch.zeros(COUNT, dtype=torch.long))
    for name, value in later.items():
        assert torch.equal(value, first[name].flip(0)), name


def test_more_shards_than_are_kept_are_left(drawn: Path, debug_config: MirasConfig, tmp_path: Path) -> None:
    for index in range(SHARD // COUNT + 2):
        path = shard_path(tmp_path, "train", index)
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(shard_path(drawn, "train", 0))
    assert len(Bank(tmp_path, "train", CPU, debug_config.sam.image_size_px, most=1)) == SHARD // COUNT * COUNT


def test_walks_are_told_with_the_answers_of_composed_conversations() -> None:
    config = BankConfig("train", 1, 320, 1000, walks=1.0)
    walked = 0
    for seed in range(40):
        things = imagined_things(random.Random(seed))
        names = {thing.object_id: thing.name for thing in things}
        composed = list(told(things, seed, 640, replace(config, walks=0.0)))
        talks = list(told(things, seed, 640, config))
        if len(set(names.values())) < len(names):
            assert talks == composed, "a walk knows no two things that look alike"
            continue
        walked += talks != composed
        for turn in (turn for talk in talks for turn in talk):
            phrases = re.findall(r"\[OBJ\] (.+?) \[SEG\]", turn.answer)
            for phrase, target in zip(phrases, turn.targets, strict=True):
                assert names[target.object_id] in phrase and (target.part or "") in phrase
            if turn.status is Status.CLARIFY:
                assert turn.answer.endswith("Which one do you mean?")
    assert walked > 5


MUG, BALL = 1 + KIND_NAMES.index("mug"), 1 + KIND_NAMES.index("ball")
RED, BLUE = 1 + COLOR_NAMES.index("red"), 1 + COLOR_NAMES.index("blue")
HANDLE = 1 + PART_NAMES.index("handle")


@pytest.fixture
def scenes() -> Scenes:
    """A red mug whose right half is its handle, and a blue ball below, in a square of 32 px."""
    objects, parts = torch.zeros(1, 32, 32, dtype=torch.uint8), torch.zeros(1, 32, 32, dtype=torch.uint8)
    objects[0, :16, :16] = 1
    parts[0, :16, 8:16] = HANDLE
    objects[0, 24:, 4:12] = 2
    kinds, colors = torch.zeros(1, MAX_OBJECTS + 1).long(), torch.zeros(1, MAX_OBJECTS + 1).long()
    kinds[0, 1:3], colors[0, 1:3] = torch.tensor([MUG, BALL]), torch.tensor([RED, BLUE])
    return Scenes({"objects": objects, "parts": parts, "kinds": kinds, "colors": colors})


def test_patches_show_what_the_maps_say(scenes: Scenes) -> None:
    kinds, colors, parts = scenes.patch_concepts(4).split(SIZES, -1)
    for group in (kinds, colors, parts):
        assert torch.allclose(group.sum(dim=-1), torch.ones(()))
    assert kinds.shape == (1, 16, NUM_KINDS) and colors.shape == (1, 16, NUM_COLORS)
    body, handle, empty, corner = 0, 1, 2, 3 * 4
    assert kinds[0, [body, handle], MUG].tolist() == colors[0, [body, handle], RED].tolist() == [1, 1]
    assert (parts[0, body, HANDLE], parts[0, handle, HANDLE]) == (0, 1)
    assert kinds[0, empty, 0] == 1
    assert (kinds[0, corner, BALL], colors[0, corner, BLUE], kinds[0, corner, 0]) == (0.5, 0.5, 0.5)


def test_grids_that_do_not_divide_the_picture_still_sum_to_one(scenes: Scenes) -> None:
    assert torch.allclose(scenes.object_shares(7).sum(dim=1), torch.ones(()))


def test_masks_of_wholes_and_parts_and_their_centers(scenes: Scenes) -> None:
    rows, things, parts = torch.zeros(3).long(), torch.tensor([1, 1, 2]), torch.tensor([0, HANDLE, 0])
    masks = scenes.masks(rows, things, parts)
    assert masks.sum(dim=(1, 2)).tolist() == [256, 128, 64]
    assert torch.allclose(centers(masks), torch.tensor([[8, 8], [12, 8], [8, 28]]) / 32)
    assert torch.allclose(centers(torch.zeros(1, 32, 32, dtype=torch.bool)), torch.zeros(1, 2))
    assert scenes.masks(rows, things, parts, stride=2).shape == (3, 16, 16)
    assert cover(masks, 4)[2, 0, 3].tolist() == [0.5, 0.5, 0, 0]
    assert scenes.concepts(rows, things, parts).tolist() == [[MUG, RED, 0], [MUG, RED, HANDLE], [BALL, BLUE, 0]]
