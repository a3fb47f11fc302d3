"""The stranger's test set: the same bytes for the same seed, masks where the talk needs them, statuses true."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pixelrs_ros.data import labelme
from pixelrs_ros.stranger import words, write_stranger
from pixelrs_ros.stranger.paint import COLORS
from pixelrs_ros.stranger.tools import KINDS

COUNT = 12
NOUNS = {kind: kind for kind in KINDS} | {word: kind for kind, names in words.SYNONYMS.items() for word in names}
PARTS = {part for kind in KINDS.values() for part in kind.parts} - {"bowl"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mujoco")
    path = tmp_path_factory.mktemp("stranger")
    write_stranger(path, COUNT, seed=3)
    return path


def records(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "test_stranger.json").read_text())


def masks(folder: Path, img_id: str) -> dict[str, np.ndarray]:
    return labelme.read(folder / "masks" / f"{Path(img_id).stem}.json").masks()


def things(labels: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """Color and kind of every whole object among an image's labels."""
    return [tuple(label.split()[:2]) for label in labels if " of the " not in label]  # type: ignore[misc]


def turns(record: dict[str, Any]) -> list[tuple[str, str, str, str, list[str], list[str]]]:
    said, meta = [utterance["value"] for utterance in record["dialogue"]], record["meta"]
    columns = (said[::2], said[1::2], meta["kinds"], meta["statuses"], meta["targets"], meta["candidates"])
    return list(zip(*columns, strict=True))


def digest(folder: Path, names: list[str]) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_same_seed_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_stranger(tmp_path, 3, seed=3)
    names = [f"{name}/stranger_{i:06d}.{end}" for i in range(3) for name, end in (("images", "jpg"), ("masks", "json"))]
    assert digest(tmp_path, names) == digest(folder, names)
    count = len(records(tmp_path))
    assert records(tmp_path) == records(folder)[:count]
    write_stranger(tmp_path, 1, seed=4)
    assert digest(tmp_path, names[:1]) != digest(folder, names[:1])


def test_masks_are_large_enough_and_parts_lie_in_their_object(folder: Path) -> None:
    for index in range(COUNT):
        img_id = f"stranger_{index:06d}.jpg"
        image = cv2.imread(str(folder / "images" / img_id))
        assert image is not None and image.shape == (480, 640, 3)
        found = masks(folder, img_id)
        assert 3 <= len(things(found)) <= 7
        for label, mask in found.items():
            assert mask.shape == (480, 640)
            assert mask.sum() >= (80 if " of the " in label else 300), label
            if " of the " in label:
                assert not np.any(mask & ~found[label.split(" of the ")[1]]), label


def test_every_label_has_a_mask_and_every_status_what_belongs_to_it(folder: Path) -> None:
    for record in records(folder):
        found = masks(folder, record["img_id"])
        for _, answer, _, status, targets, candidates in turns(record):
            assert set(targets) | set(candidates) <= found.keys()
            assert len(targets) == answer.count("[SEG]") == answer.count("[OBJ]") == (status == "grounded")
            assert (len(candidates) > 1) == (status == "clarify")
            assert answer.endswith("?") or status != "clarify"
        last = record["meta"]["targets"][-1]
        assert record["focus"] == (last[0] if last else "")
        assert bool(record["meta"]["target"]["kind"]) == bool(last)


def test_statuses_of_orders_by_color_and_kind_are_true_to_the_labels(folder: Path) -> None:
    checked = Counter[str]()
    for record in records(folder):
        on_table = things(masks(folder, record["img_id"]))
        for user, _, sort, status, targets, _ in turns(record):
            spoken = user.lower()
            named = rf"\b(?:the|an?|{'|'.join(COLORS)}) "  # "what can I" names no can
            kinds = {kind for noun, kind in NOUNS.items() if re.search(rf"{named}{noun}\b", spoken)}
            colors = [color for color in COLORS if re.search(rf"\b{color}\b", spoken)]
            if sort not in ("order", "absent", "ambiguous") or len(kinds) > 1 or len(colors) > 1:
                continue
            if any(re.search(rf"\b{part}\b", spoken) for part in PARTS) or not (kinds or colors):
                continue
            fits = [(c, k) for c, k in on_table if (not kinds or k in kinds) and (not colors or c in colors)]
            assert status == ("not_found", "grounded", "clarify")[min(len(fits), 2)], (user, on_table)
            if status == "grounded":
                assert tuple(targets[0].split()[:2]) == fits[0], user
            checked[status] += 1
    assert min(checked.values()) >= 3
    assert len(checked) == 3


def test_counts_and_lists_are_true(folder: Path) -> None:
    for record in records(folder):
        on_table = things(masks(folder, record["img_id"]))
        for _, answer, sort, _, _, _ in turns(record):
            told = re.fullmatch(r"There (?:is|are) (\w+) (\w+)\.", answer)
            if sort != "question" or not told:
                continue
            noun = "knife" if told[2] == "knives" else re.sub(r"(?<=x|h)es$|s$", "", told[2])
            count = len(on_table) if noun == "thing" else sum(kind == noun for _, kind in on_table)
            assert words.NUMBERS[count] == told[1], answer


def test_half_is_textured_and_talks_are_mixed(folder: Path) -> None:
    all_records = records(folder)
    share = np.mean(["textured" in record["meta"].get("hard", ()) for record in all_records])
    assert 0.4 <= share <= 0.6
    lengths = Counter(len(record["dialogue"]) // 2 for record in all_records)
    assert set(lengths) <= {1, 2, 3, 4}
    assert 0.35 <= lengths[1] / len(all_records) <= 0.85


def test_there_are_phrasings_enough() -> None:
    def leaves(value: object) -> int:
        if isinstance(value, str):
            return 1
        if isinstance(value, dict):
            return sum(leaves(one) if not isinstance(one, str) else 1 for one in value.values())
        return sum(map(leaves, value)) if isinstance(value, tuple) else 0

    names = set(vars(words)) - {"FOUND", "MISSING", "NUMBERS", "SYNONYMS", "COLOR_ONLY"}
    assert sum(leaves(getattr(words, name)) for name in names if name.isupper()) >= 150
