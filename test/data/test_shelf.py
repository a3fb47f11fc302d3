"""A sequence on disk, here, in another process and after a fork."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import tempfile
import tracemalloc
from pathlib import Path
from typing import cast

import pytest
from torch.utils.data import DataLoader, Dataset

from pixelrs_ros.data.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf[str]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return Shelf.of(("ant", "bee", "asp", "bat", "ant 2"), group=lambda word: word[0])


def test_it_is_a_sequence(shelf: Shelf[str]) -> None:
    assert list(shelf) == ["ant", "bee", "asp", "bat", "ant 2"]
    assert (len(shelf), shelf[0], shelf[-1], shelf[1:3]) == (5, "ant", "ant 2", ["bee", "asp"])
    assert "bat" in shelf and "cat" not in shelf and not Shelf()
    for index in (5, -6):
        with pytest.raises(IndexError, match=f"no member {index} of 5"):
            shelf[index]


def test_groups_come_in_the_order_of_their_first_members(shelf: Shelf[str]) -> None:
    assert list(shelf.groups()) == [("ant", "asp", "ant 2"), ("bee", "bat")]
    assert shelf.count_groups() == 2


def test_members_may_be_put_in_any_order_and_with_gaps() -> None:
    shelf: Shelf[str] = Shelf()
    for place in (700, 3, 50):
        shelf.put(place, f"at {place}")
    assert list(shelf) == ["at 3", "at 50", "at 700"] and shelf[1] == "at 50" and shelf[-1] == "at 700"


def test_another_process_reads_it_and_leaves_it_there(shelf: Shelf[str]) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(list, (shelf,)).get(timeout=60) == list(shelf)
    assert list(pickle.loads(pickle.dumps(shelf))) == list(shelf)
    gc.collect()
    assert shelf[0] == "ant"


def test_a_loader_of_torch_reads_it_after_its_fork(shelf: Shelf[str]) -> None:
    loader: DataLoader[str] = DataLoader(
        cast(Dataset[str], shelf), 2, num_workers=2, collate_fn=list, multiprocessing_context="fork", timeout=60
    )
    assert [word for words in loader for word in words] == list(shelf)
    gc.collect()
    assert shelf[0] == "ant"


def test_its_file_goes_with_it(shelf: Shelf[str], tmp_path: Path) -> None:
    other = Shelf.of(["x"])
    assert len(list(tmp_path.iterdir())) == 2
    del other
    gc.collect()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_longer_one_takes_no_more_memory() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        shelf = Shelf.of((f"{number:0300d}" for number in range(count)), group=lambda word: word[-3:])
        assert sum(len(each) for each in shelf) == 300 * count
        assert sum(len(group) for group in shelf.groups()) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(20_000) < 1_000_000, "of 6,000,000 characters"
