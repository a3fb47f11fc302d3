"""What every test shares: a ROS graph of its own, the same random numbers each time, a network of next to no size."""

from __future__ import annotations

import gc
import importlib.util
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from slow import SLOW

if TYPE_CHECKING:  # a test that needs no network does not wait for torch
    from tokenizers import Tokenizer

    from pixelrs_ros.config import MirasConfig
    from pixelrs_ros.model.miras import Miras

# Before anything imports rclpy, and inherited by the processes that tests start: two test runs at once, or a robot in
# the same network, must not hear each other. Domains from 102 on use ports that Linux gives to outgoing connections.
# Workers of one run (pytest -n) share them out.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
DOMAINS = itertools.cycle(random.SystemRandom().sample(own := range(1 + WORKER, 102, WORKERS), len(own)))
if WORKERS > 1:
    os.environ["OMP_NUM_THREADS"] = "1"  # or each worker's torch takes all cores
os.environ["ROS_DOMAIN_ID"] = str(next(DOMAINS))
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what test/shared/slow.py names."""
    for item in items:
        if item.nodeid.removeprefix("test/").startswith(SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Keeps the collector off what the imports have left: a node collects when it is closed, 0.3 s with torch."""
    gc.collect()
    gc.freeze()


settings.register_profile("pixelrs", derandomize=True, deadline=None)
settings.load_profile("pixelrs")


@pytest.fixture(scope="session")
def set_up() -> ModuleType:
    """scripts/set_up.py, which no package holds."""
    script = Path(__file__).resolve().parent.parent / "scripts" / "set_up.py"
    spec = importlib.util.spec_from_file_location("set_up", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["set_up"] = module  # where its dataclasses look for their module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def own_world(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps a file's nodes from what an earlier file's left: in DDS, which may not have buried them, and on disk."""
    os.environ["ROS_DOMAIN_ID"] = str(next(DOMAINS))
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def small_files() -> Iterator[None]:
    """As under `ulimit -f 8`: no file may grow beyond 8 KB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


@pytest.fixture(scope="session")
def debug_config() -> MirasConfig:
    """Sizes of a whole network with 200 thousand weights."""
    from pixelrs_ros.config import load_preset

    return load_preset("debug")


@pytest.fixture(scope="session")
def debug_tokenizer() -> Tokenizer:
    """A tokenizer with few merges."""
    from pixelrs_ros.text.tokenizer import train_tokenizer

    texts = [" the handle of the red mug, to drink from.", " i want to cut bread. which knife do you mean?"]
    return train_tokenizer(texts * 3, vocab_size=310)


@pytest.fixture
def debug_miras(debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Miras:
    """A network of its own for each test."""
    from small_miras import build_small

    return build_small(debug_config, debug_tokenizer.get_vocab_size())


@pytest.fixture(scope="session")
def data_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pictures labeled in each format that training reads, in exactly that format."""
    import cv2
    import numpy as np

    folder = tmp_path_factory.mktemp("data_sets")
    for part in ("images", "label_maps", "prist/images", "prist/masks"):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(2):
        picture = rng.integers(0, 256, (40, 60 - 10 * index, 3), np.uint8)
        for part in ("images", "prist/images"):
            cv2.imwrite(str(folder / part / f"{index}.jpg"), picture)
        labels = np.full(picture.shape[:2], 255, np.uint8)
        labels[5:20, 10:30], labels[25:35, 5:15] = 1, 2
        cv2.imwrite(str(folder / "label_maps" / f"{index}.png"), labels)
        shape = {"label": "Dial", "points": [[5, 5], [20, 5], [20, 15]], "shape_type": "polygon"}
        masks = {"imageHeight": 40, "imageWidth": picture.shape[1], "shapes": [shape]}
        (folder / "prist" / "masks" / f"{index}.json").write_text(json.dumps(masks))
    (folder / "names.txt").write_text("wall, brick wall\noven\n")
    _write(folder / "instances.json", _instances())
    sentences = [{"sent": "the tall one", "tokens": ["the", "tall", "one"]}, {"sent": "left mug"}]
    refs = [
        {"ref_id": i, "image_id": i, "ann_id": 10 + i, "split": "train", "sentences": sentences[: 2 - i]}
        for i in (0, 1)
    ]
    _write(folder / "refs.json", [*refs, {**refs[0], "split": "val"}])
    said = [("I want to bake.", "What bread?"), ("Rye.", "Turn this dial: [SEG].")]
    turns = [{"from": who, "value": value} for pair in said for who, value in zip(("human", "gpt"), pair, strict=True)]
    _write(
        folder / "prist" / "train.json", [{"img_id": f"{i}.jpg", "dialogue": turns, "focus": "dial"} for i in (0, 1)]
    )
    asked = [("human", "<image>\nWhat is this?"), ("gpt", "Noise, in many colors.")]
    talk = {"id": "a", "image": "0.jpg", "conversations": [{"from": who, "value": value} for who, value in asked]}
    _write(folder / "vqa.json", [talk, {"id": "text only", "conversations": talk["conversations"]}])
    return folder


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _instances() -> dict[str, Any]:
    """COCO's format: polygons, plain run lengths and compressed ones."""
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 40, "width": 60 - 10 * i} for i in (0, 1)]
    common = {"image_id": 0, "category_id": 7, "iscrowd": 0}
    square = [[10, 10, 20, 10, 20, 20, 10, 20]]
    runs = {"size": [40, 50], "counts": [0, 80, 1920]}  # column by column: the first two columns
    compressed = {"size": [40, 60], "counts": "`2`2PV2"}  # of the same kind, 80 px from the third column on
    annotations = [
        {**common, "id": 10, "segmentation": square},
        {**common, "id": 11, "image_id": 1, "segmentation": runs, "iscrowd": 1},
        {**common, "id": 12, "category_id": 8, "segmentation": compressed},
        {**common, "id": 13, "segmentation": [[40, 30, 50, 30, 50, 36, 40, 36]]},
        {**common, "id": 14, "segmentation": []},
    ]
    categories = [{"id": 7, "name": "trash_can"}, {"id": 8, "name": "trash_can:handle"}]
    return {"images": images, "annotations": annotations, "categories": categories}


_KILLED_WHILE_SAVING = """
import os, pathlib, signal, sys
from pixelrs_ros.cli import main
rename = pathlib.Path.replace
saves = []
def replace(self, target):
    if pathlib.Path(target).name == "state.safetensors":
        saves.append(target)
        if len(saves) == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
pathlib.Path.replace = replace
main(["train", *sys.argv[2:]])
"""


@pytest.fixture(scope="session")
def train_until_killed() -> Callable[..., None]:
    """Runs `pixelrs train`, which SIGKILL ends between writing a state (the first is 1) and putting it into place."""

    def run(save: int, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", _KILLED_WHILE_SAVING, str(save), *arguments]
        process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert process.returncode == -signal.SIGKILL, process.stderr

    return run
