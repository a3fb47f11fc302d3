"""Writes a PRIST folder of simulated scenes: pictures, masks and dialogues, the same bytes for the same seed.

Every picture has its dialogues in a file of its own under `dialogues/`, written last; a run that is started again skips
the pictures that have one, and joins them all into `<split>.json` at the end.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pixelrs_ros.data import labelme, prist, talk_records
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import write_file
from pixelrs_ros.sim.picture.elements import Element, elements, well_posed
from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.picture.sensor import record
from pixelrs_ros.sim.scene.kinds import HELD_OUT_FAMILY
from pixelrs_ros.sim.scene.scene import TWIN_RATE, Scene, sample_scene
from pixelrs_ros.sim.talk.splits import PAIRS
from pixelrs_ros.sim.walk.dialogues import Dialogue, Target, sample_dialogues
from pixelrs_ros.sim.walk.wording import Split
from pixelrs_ros.workers import ALONE, Workers, spread

Pictures = Literal["train", "val", "test", "test_shapes", "test_talk", "train_talk"]  # sets of pictures

SPLITS: tuple[Pictures, ...] = ("train", "val", "test", "test_shapes", "test_talk", "train_talk")
DIALOGUES_PER_IMAGE: dict[Pictures, int] = {
    "train": 8, "val": 2, "test": 1, "test_shapes": 1, "test_talk": 1, "train_talk": 3
}  # fmt: skip
JPEG_QUALITY = 92
MIN_ELEMENTS = 3
SENSOR_RATE = 0.5  # of the pictures of every split
HELD_OUT_RATE = 0.5  # of the objects of test_shapes
# Dialogues about one set of pictures, each in a file of its own, and whose words the user speaks in them.
SPOKEN: dict[Pictures, dict[str, Split]] = {
    "train": {"train": "train"},
    "val": {"val": "val"},
    "test": {"test": "test", "test_language": "test_language"},
    "test_shapes": {"test_shapes": "test"},
}
# Splits of the pictures of test_talk, each as many dialogues a picture as it says. Pairs go from picture to picture.
TALK = {"test_direct": 3, "test_relations": 1, "test_parts": 1, "test_chat": 2}
# The splits of the pictures that the composer of sim/talk tells of; the others are the walk's.
_TALKED: dict[Pictures, list[str]] = {"test_talk": [*TALK, PAIRS], "train_talk": ["train_talk"]}
_VERSION = 3  # of what the simulator draws: a picture of an earlier one is made anew
_DIALOGUE_STREAM, _SENSOR_STREAM = 1, 3  # sources of random choices beside the scene's own
_FIRST_SCENE_SEED = 1_000_000_000  # smaller ones are left to demonstrations and tests, so that these stay unseen
_FIRST_TALK_SEED = 10**15  # of train_talk, which came later and must not move the others' seeds
_SEEDED = 5  # sets that share the seeds from _FIRST_SCENE_SEED on
_ATTEMPTS = 64  # scene seeds in reserve for each picture
_MAX_IMAGES = 1_000_000  # of a split; the file names have six digits


@dataclass(frozen=True)
class Job:
    """One picture to make.

    Attributes:
        folder: The data set's folder.
        seed: Seeds the data set.
        split: What it belongs to.
        index: Its number in the split.
        dialogues: How many dialogues about it, in each of its files.
    """

    folder: str
    seed: int
    split: Pictures
    index: int
    dialogues: int

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.split}_{self.index:06d}"

    def scene_seed(self, attempt: int) -> int:
        """The seeds that this picture may use; no other picture or split shares them."""
        if self.split == "train_talk":
            return _FIRST_TALK_SEED + (self.seed * _MAX_IMAGES + self.index) * _ATTEMPTS + attempt
        picture = (self.seed * _SEEDED + SPLITS.index(self.split)) * _MAX_IMAGES + self.index
        return _FIRST_SCENE_SEED + picture * _ATTEMPTS + attempt

    @property
    def sidecar(self) -> Path:
        """The file of its dialogues, written last."""
        return Path(self.folder) / "dialogues" / f"{self.stem}.json"

    @property
    def recipe(self) -> dict[str, Any]:
        """What its content depends on."""
        choices = {key: value for key, value in asdict(self).items() if key != "folder"}
        return {**choices, "spoken": spoken(self.split), "version": _VERSION}


@dataclass(frozen=True)
class Made:
    """A picture that is made, as the contents of its files.

    Attributes:
        job: What was to be made.
        image: JPEG.
        masks: labelme's JSON.
        sidecar: JSON of its dialogues.
    """

    job: Job
    image: bytes
    masks: bytes
    sidecar: bytes

    def write(self) -> None:
        """Write the files, that of the dialogues last.

        Raises:
            OutputError: One cannot be written.
        """
        root, img_id = Path(self.job.folder), f"{self.job.stem}.jpg"
        write_file(prist.image_path(root, img_id), self.image)
        write_file(prist.mask_path(root, img_id), self.masks)
        write_file(self.job.sidecar, self.sidecar)


def spoken(pictures: Pictures) -> list[str]:
    """The splits whose dialogues are about a set of pictures."""
    return list(_TALKED.get(pictures) or SPOKEN[pictures])


def generate(
    folder: Path,
    counts: Mapping[Pictures, int],
    *,
    seed: int = 0,
    workers: Workers = ALONE,
    dialogues_per_image: Mapping[Pictures, int] = DIALOGUES_PER_IMAGE,
    console: Console | None = None,
) -> dict[str, int]:
    """Makes or completes a data set.

    Args:
        folder: Where to; made if missing. What an earlier run with the same seed left there is kept.
        counts: Pictures by set; `SPOKEN` names the splits that are written for each.
        seed: Not negative; different seeds give different scenes.
        workers: The processes that draw; a single one is this one. Only this one writes, so that other machines need
            not see the folder.
        dialogues_per_image: By set; every picture gets exactly as many in each split.
        console: Where the progress bar goes; None for standard error.

    Returns:
        Number of dialogues per split.

    Raises:
        DataError: A number is out of range, or the folder cannot be written.
        PixelrsError: See `workers.spread`.
    """
    _check(counts, seed, dialogues_per_image)
    try:
        for name in ("images", "masks", "dialogues"):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made: {error.strerror}") from error
    jobs = {
        split: [Job(str(folder), seed, split, index, dialogues_per_image[split]) for index in range(count)]
        for split, count in counts.items()
    }
    others = _other_seeds(folder, seed)
    todo = [job for each in jobs.values() for job in each if _finished(job) is None]
    total = sum(counts.values())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console or Console(stderr=True)) as progress:
        if others and todo:
            progress.console.print(
                f"{folder} holds pictures made with seed {', '.join(map(str, others))}: those asked for are made anew "
                f"with seed {seed}, others stay as they are",
                markup=False, soft_wrap=True,
            )  # fmt: skip
        task = progress.add_task("pictures", total=total, completed=total - len(todo))
        try:
            for made in _draw(todo, workers):
                made.write()
                progress.advance(task)
            return {name: _join(folder, name, jobs[split]) for split in jobs for name in spoken(split)}
        except OSError as error:
            raise DataError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error


def _check(counts: Mapping[Pictures, int], seed: int, dialogues: Mapping[Pictures, int]) -> None:
    if seed < 0:
        raise DataError(f"expected a seed of at least 0, got {seed}")
    for split, count in counts.items():
        if split not in SPLITS:
            raise DataError(f"expected a split of {', '.join(SPLITS)}, got {split!r}")
        if not 0 <= count <= _MAX_IMAGES or dialogues[split] < 1:
            raise DataError(
                f"{split}: expected 0 to {_MAX_IMAGES} pictures with at least one dialogue each, "
                f"got {count} with {dialogues[split]}"
            )


def _finished(job: Job) -> dict[str, Any] | None:
    """A picture's dialogues by split ("records") and its things if all its files are there, made by the same recipe."""
    root = Path(job.folder)
    img_id = f"{job.stem}.jpg"
    if not (prist.image_path(root, img_id).is_file() and prist.mask_path(root, img_id).is_file()):
        return None
    try:
        content = json.loads(job.sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("recipe") != job.recipe:
        return None
    return content


def _other_seeds(folder: Path, seed: int) -> list[int]:
    """The seeds that pictures in the folder were made with, but for this one."""
    found = set()
    for sidecar in (folder / "dialogues").glob("*.json"):
        try:
            made_with = json.loads(sidecar.read_text(encoding="utf-8"))["recipe"]["seed"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of an interrupted run, perhaps: made anew
        if isinstance(made_with, int):
            found.add(made_with)
    return sorted(found - {seed})


def _join(folder: Path, split: str, jobs: list[Job]) -> int:
    records: list[dict[str, Any]] = []
    pictures = []
    for job in jobs:
        made = _finished(job)
        if made is None:
            raise DataError(f"{job.sidecar}: disappeared while the data set was made")
        records.extend(made["records"].get(split, ()))
        things = [talk_records.from_mapping(thing) for thing in made.get("things", ())]
        pictures.append((f"{job.stem}.jpg", made["scene_seed"], things))
    if split == PAIRS:
        records.extend(talk_records.pairs(pictures, jobs[0].seed if jobs else 0))
    prist.write_records(prist.split_path(folder, split), records)
    return len(records)


def _draw(jobs: Sequence[Job], workers: Workers) -> Iterator[Made]:
    """Makes the pictures."""
    if workers == ALONE:
        with Renderer() as renderer:
            yield from (make(job, renderer) for job in jobs)
    elif jobs:
        yield from spread(_make_in_worker, jobs, workers)


def _make_in_worker(job: Job) -> Made:
    return make(job, _worker_renderer())


@cache
def _worker_renderer() -> Renderer:
    """This process's own, for all its pictures."""
    cv2.setNumThreads(1)
    renderer = Renderer()
    atexit.register(renderer.close)
    return renderer


def make(job: Job, renderer: Renderer) -> Made:
    """Draws the first well-posed scene of a job's seeds and tells its dialogues.

    Raises:
        DataError: None of the job's seeds gives a picture with enough dialogues.
    """
    held_out = job.split == "test_shapes"
    for attempt in range(_ATTEMPTS):
        seed = job.scene_seed(attempt)
        talks = job.split in _TALKED
        twin_rate = TWIN_RATE if talks else 0.0  # the walk that tells the older splits knows no twins
        scene = sample_scene(seed, held_out_rate=HELD_OUT_RATE if held_out else 0.0, twin_rate=twin_rate)
        clean = renderer.render(scene)
        chance = np.random.default_rng([seed, _SENSOR_STREAM])
        faulty = bool(chance.random() < SENSOR_RATE)
        view = record(clean, chance) if faulty else clean
        seen = elements(view)
        if len(seen) < MIN_ELEMENTS or not well_posed(view):
            continue
        if talks:
            img_id = f"{job.stem}.jpg"
            if job.split == "train_talk":
                told_of = {"train_talk": talk_records.converse(seen, job.dialogues, img_id, seed)}
            else:
                told_of = talk_records.tell(seen, TALK, img_id, seed)
            return _made(job, seed, view, seen, told_of)
        goals = {thing.object_id for thing in scene.objects if not held_out or thing.family == HELD_OUT_FAMILY}
        told = {name: _tell(job, seed, split, seen, goals) for name, split in SPOKEN[job.split].items()}
        if any(len(dialogues) < job.dialogues for dialogues in told.values()):
            continue
        records = {
            name: [
                to_prist(
                    dialogue,
                    f"{job.stem}.jpg",
                    seed,
                    seen,
                    sensor=faulty,
                    visible=None if job.split == "train" else _visible(renderer, scene, clean, dialogue.target),
                ).to_record()
                for dialogue in dialogues
            ]
            for name, dialogues in told.items()
        }
        return _made(job, seed, view, seen, records)
    raise DataError(f"{job.stem}: no scene of {_ATTEMPTS} holds {job.dialogues} dialogues; ask for fewer")


def _tell(job: Job, seed: int, split: Split, seen: Sequence[Element], goals: set[int]) -> list[Dialogue]:
    """A picture's dialogues in one split's words that end on one of the goals; fewer where it holds no more."""
    rng = np.random.default_rng([seed, _DIALOGUE_STREAM])
    # Every object takes its turn as the target, so that many are drawn where only some of them may be it.
    count = job.dialogues if len(goals) >= len(seen) else job.dialogues * len(seen)
    dialogues = sample_dialogues(seen, rng, count=count, split=split)
    return [dialogue for dialogue in dialogues if dialogue.target.object_id in goals][: job.dialogues]


def _visible(renderer: Renderer, scene: Scene, clean: View, target: Target) -> float:
    return round(renderer.visible_share(scene, clean, target.object_id, target.part), 3)


def _made(job: Job, seed: int, view: View, seen: tuple[Element, ...], records: dict[str, list[dict[str, Any]]]) -> Made:
    img_id = f"{job.stem}.jpg"
    bgr = cv2.cvtColor(view.image, cv2.COLOR_RGB2BGR)
    encoded, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not encoded:
        raise DataError(f"{img_id}: OpenCV could not encode the picture")
    masks = {}
    for element in seen:
        masks[(element.label, element.object_id)] = view.mask(element.object_id)
        for part in element.parts:
            masks[(element.part_label(part), element.object_id)] = view.mask(element.object_id, part)
    annotation = labelme.annotate(f"../images/{img_id}", masks)
    things = [talk_records.to_mapping(element) for element in seen]
    told = {"recipe": job.recipe, "records": records, "scene_seed": seed, "things": things}
    sidecar = json.dumps(told, ensure_ascii=False)
    return Made(job, jpeg.tobytes(), labelme.to_json(annotation).encode(), sidecar.encode())


def to_prist(
    dialogue: Dialogue,
    img_id: str,
    scene_seed: int,
    seen: Sequence[Element],
    *,
    sensor: bool | None = None,
    visible: float | None = None,
) -> prist.PristDialogue:
    """A sampled dialogue in PRIST's form, its targets by label; for `sensor` and `visible` see `PristMeta`."""
    by_id = {element.object_id: element for element in seen}

    def label(target: Target) -> str:
        element = by_id[target.object_id]
        return element.part_label(target.part) if target.part else element.label

    goal = by_id[dialogue.target.object_id]
    meta = prist.PristMeta(
        scene_seed=scene_seed,
        kinds=tuple(turn.kind for turn in dialogue.turns),
        statuses=tuple(turn.status for turn in dialogue.turns),
        targets=tuple(tuple(label(target) for target in turn.targets) for turn in dialogue.turns),
        candidates=tuple(tuple(by_id[index].label for index in turn.candidates) for turn in dialogue.turns),
        kind=goal.kind,
        color=goal.color,
        part=dialogue.target.part,
        sensor=sensor,
        visible=visible,
        hard=dialogue.hard,
    )
    turns = tuple(prist.PristTurn(turn.user, turn.answer) for turn in dialogue.turns)
    return prist.PristDialogue(img_id, turns, label(dialogue.target), meta)
