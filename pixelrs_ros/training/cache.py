"""A PRIST folder's images and masks at the sizes that training needs, as memory-mapped arrays.

Several training processes share the pages, and decoding happens once.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from pixelrs_ros.config import MirasConfig, load_preset
from pixelrs_ros.data.labelme import load_json
from pixelrs_ros.data.prist import mask_path, read_image
from pixelrs_ros.errors import DataError
from pixelrs_ros.images import encoder_images
from pixelrs_ros.training.concepts import parse_label

MAX_REGIONS = 40
_CHUNK = 64


@dataclass(frozen=True)
class SplitArrays:
    """One split. N images; a region is a part of an object, or an object's pixels that belong to no labeled part.

    Attributes:
        clip: (N, S, S, 3) uint8.
        convnext: (N, T, T, 3) uint8.
        sam: (N, h, w, 3) uint8.
        regions: (N, h, w) uint8, which region each of SAM's pixels belongs to, 0 is background.
        concepts: (N, MAX_REGIONS, 3) uint8, kind, color and part of each region.
        objects: (N, MAX_REGIONS) uint8, the object each region belongs to, 0 is background.
        dialogues: For each image its dialogues, as read from the split's JSON.
    """

    clip: np.ndarray
    convnext: np.ndarray
    sam: np.ndarray
    regions: np.ndarray
    concepts: np.ndarray
    objects: np.ndarray
    dialogues: list[list[dict[str, Any]]]


def _load_image(folder: Path, img_id: str, config: MirasConfig) -> dict[str, np.ndarray]:
    image = read_image(folder, img_id)
    images = encoder_images(image, config)
    masks = load_json(mask_path(folder, img_id))
    canvas = np.zeros(image.shape[:2], np.uint8)
    concepts = np.zeros((MAX_REGIONS, 3), np.uint8)
    objects = np.zeros(MAX_REGIONS, np.uint8)
    region_ids: dict[str, int] = {}
    # Whole objects first: their parts are painted over them.
    for shape in sorted(masks["shapes"], key=lambda shape: " of the " in shape["label"]):
        label = shape["label"]
        concept = parse_label(label)
        region = region_ids.setdefault(label, len(region_ids) + 1)
        whole = region_ids.get(label.split(" of the ")[-1])
        if region >= MAX_REGIONS or whole is None:
            problem = f"more than {MAX_REGIONS - 1} labels" if whole else f"a {label!r} without the whole object"
            raise DataError(f"{mask_path(folder, img_id)} has {problem}")
        concepts[region] = (concept.kind, concept.color, concept.part)
        objects[region] = whole
        cv2.fillPoly(canvas, [np.rint(np.array(shape["points"])).astype(np.int32)], region)
    height, width = images.sam.shape[:2]
    regions = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_NEAREST)
    return {
        "clip": images.clip,
        "convnext": images.convnext,
        "sam": images.sam,
        "regions": regions,
        "concepts": concepts,
        "objects": objects,
    }


def _load_chunk(folder: Path, img_ids: Sequence[str], preset: str) -> dict[str, np.ndarray]:
    config = load_preset(preset)
    loaded = [_load_image(folder, img_id, config) for img_id in img_ids]
    if len({item["sam"].shape for item in loaded}) > 1:
        raise DataError(f"{folder / 'images'} holds pictures of several shapes; training takes one")
    return {name: np.stack([item[name] for item in loaded]) for name in loaded[0]}


def load_split(folder: Path, split: str, preset: str, cache: Path, workers: int = 2) -> SplitArrays:
    """Read a split, through a cache that is filled the first time.

    Args:
        folder: PRIST folder.
        split: "train", "val" or "test".
        preset: Whose sizes.
        cache: Folder for the arrays.
        workers: Processes that fill it.

    Raises:
        DataError: A file of the folder is missing or malformed; the message names it.
    """
    source = folder / f"{split}.json"
    if not source.is_file():
        raise DataError(f"{source} is missing; remedy: pixelrs generate --out {folder}")
    by_image: dict[str, list[dict[str, Any]]] = {}
    content = source.read_bytes()
    for item in json.loads(content):
        by_image.setdefault(item["img_id"], []).append(item)
    img_ids = list(by_image)
    target = cache / f"{preset}_{split}_{hashlib.sha256(content).hexdigest()[:16]}"  # other data, another cache
    if not (target / "complete").exists():
        _fill(folder, img_ids, preset, target, workers)
    names = ("clip", "convnext", "sam", "regions", "concepts", "objects")
    arrays = {name: np.load(target / f"{name}.npy", mmap_mode="r") for name in names}
    return SplitArrays(**arrays, dialogues=list(by_image.values()))


def _loaded(folder: Path, chunks: list[Sequence[str]], preset: str, workers: int) -> Iterator[dict[str, np.ndarray]]:
    if workers == 1:
        for chunk in chunks:
            yield _load_chunk(folder, chunk, preset)
        return
    # Spawned, because a forked copy of torch's and OpenCV's thread pools can hang.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_load_chunk, repeat(folder), chunks, repeat(preset))


def _fill(folder: Path, img_ids: Sequence[str], preset: str, target: Path, workers: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    chunks = [img_ids[i : i + _CHUNK] for i in range(0, len(img_ids), _CHUNK)]
    outputs: dict[str, np.memmap] = {}
    loaded = _loaded(folder, chunks, preset, workers)
    console = Console(stderr=True)
    for index, chunk in enumerate(track(loaded, f"Reading {len(img_ids)} images", len(chunks), console=console)):
        for name, values in chunk.items():
            if name not in outputs:
                shape = (len(img_ids), *values.shape[1:])
                outputs[name] = np.lib.format.open_memmap(
                    target / f"{name}.npy", mode="w+", dtype=values.dtype, shape=shape
                )
            outputs[name][index * _CHUNK : index * _CHUNK + len(values)] = values
    for array in outputs.values():
        array.flush()
    (target / "complete").touch()
