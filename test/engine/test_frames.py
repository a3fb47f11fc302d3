from __future__ import annotations

from concurrent.futures import Future

import numpy as np
import pytest
import torch

from pixelrs_ros.engine.background import Pending
from pixelrs_ros.engine.frames import EncodedFrame, FrameCache, picture_key


def a_frame(name: bytes, megabytes: float = 1.0) -> EncodedFrame:
    return EncodedFrame(name, torch.zeros(1), Pending(Future()), 4, 4, 0.0, round(megabytes * 1e6))


def kept(cache: FrameCache, names: bytes = b"abcde") -> str:
    return "".join(name for name in names.decode() if name.encode() in cache)


def test_a_picture_is_known_by_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    key = picture_key(image)
    assert picture_key(np.asfortranarray(image)) == key == picture_key(image.copy())
    other = image.copy()
    other[3, 3, 1] ^= 1
    assert len({key, picture_key(other), picture_key(image.reshape(8, 6, 3)), picture_key(image, blind=True)}) == 4


def test_the_longest_unused_leaves_when_there_are_too_many() -> None:
    cache = FrameCache(max_frames=3, max_mb=100)
    for name in (b"a", b"b", b"c"):
        cache.put(a_frame(name), "session")
    assert cache.get(b"a", "session") is not None
    cache.put(a_frame(b"d"), "session")
    assert kept(cache) == "acd" and cache.get(b"b", "session") is None


def test_memory_is_bounded_but_the_newest_stays() -> None:
    cache = FrameCache(max_frames=10, max_mb=5)
    for name in (b"a", b"b", b"c"):
        cache.put(a_frame(name, 2.4), "session")
    assert (kept(cache), cache.num_bytes) == ("bc", 4_800_000)
    cache.put(a_frame(b"d", 9), "session")
    assert kept(cache) == "d"


def test_a_picture_leaves_with_the_last_dialogue_that_refers_to_it() -> None:
    cache = FrameCache(max_frames=10, max_mb=5)
    cache.put(a_frame(b"a"), "one")
    cache.put(a_frame(b"b"), "one")
    assert cache.get(b"b", "two") is not None
    assert cache.session_ids() == {"one", "two"}
    cache.release("one")
    assert (kept(cache), len(cache), cache.session_ids()) == ("b", 1, {"two"})
    cache.release("one")
    cache.release("two")
    assert len(cache) == cache.num_bytes == 0


@pytest.mark.parametrize(("frames", "mb"), [(0, 1.0), (1, 0.0)])
def test_impossible_bounds_are_refused(frames: int, mb: float) -> None:
    with pytest.raises(ValueError, match="at least 1 frame"):
        FrameCache(frames, mb)


def test_new_bounds_hold_at_once() -> None:
    cache = FrameCache(max_frames=10, max_mb=100)
    for name in (b"a", b"b", b"c", b"d"):
        cache.put(a_frame(name), "session")
    cache.resize(3, 100)
    assert kept(cache) == "bcd"
    cache.resize(3, 2)
    assert kept(cache) == "cd"
    with pytest.raises(ValueError, match="at least 1 frame"):
        cache.resize(0, 2)
    assert kept(cache) == "cd"
