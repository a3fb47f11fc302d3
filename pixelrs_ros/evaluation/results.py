"""What `pixelrs evaluate --json` wrote, read back one record after another: numbers of each, never all of a record."""

from __future__ import annotations

import itertools
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.records import RIGHT_IOU
from pixelrs_ros.evaluation.samples import HIDDEN_BELOW
from pixelrs_ros.types import Status

SMALL, LARGE = 0.01, 0.1  # shares of the picture
HALF_SEEN = 0.9  # visible share from which a target counts as whole
CASES = 6  # of each sort


@dataclass
class Group:
    """The dialogues of one row of a table; eight bytes each."""

    iou: array[float] = field(default_factory=lambda: array("d"))
    intersection_px: int = 0
    union_px: int = 0
    right: int = 0
    count: int = 0

    def add(self, record: dict[str, Any]) -> None:
        """Count a record."""
        self.count += 1
        self.right += _right(record)
        if record["has_target"]:
            mask = record["mask"]
            self.iou.append(record["iou"])
            self.intersection_px += mask["intersection_px"]
            self.union_px += mask["predicted_px"] + mask["truth_px"] - mask["intersection_px"]

    @property
    def g_iou(self) -> float | None:
        """Mean IoU of the dialogues with a target."""
        return float(np.mean(self.iou)) if self.iou else None

    @property
    def c_iou(self) -> float | None:
        """Summed intersections over summed unions."""
        return self.intersection_px / self.union_px if self.union_px else None


@dataclass(frozen=True)
class Case:
    """A dialogue to be shown: its IoU, what was said, and the masks as `encode_shown` made them."""

    iou: float
    said: tuple[str, ...]
    shown: str
    focus: str


@dataclass
class Results:
    """One checkpoint on one split under one condition, or a baseline.

    Attributes:
        checkpoint: Its name.
        split: The split.
        condition: What the network was given.
        head: The report without its records.
        groups: Rows by table and by name.
        place: Of each dialogue with a target, in the order of `iou`.
        iou: Of each.
        image: Number of its picture, for the bootstrap.
        score: The published mask scores of those that have one; and their IoUs.
        absent: Of each dialogue where the answer claims or denies that something is there: what it claims of
            "nothing is there", in [0, 1], and whether so it is.
        ranked: For precision and recall: score of each answer with a mask, -1 where there is none.
    """

    checkpoint: str
    split: str
    condition: str
    head: dict[str, Any]
    groups: dict[str, dict[str, Group]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Group)))
    place: array[int] = field(default_factory=lambda: array("q"))
    iou: array[float] = field(default_factory=lambda: array("d"))
    image: array[int] = field(default_factory=lambda: array("q"))
    ranked: array[float] = field(default_factory=lambda: array("d"))
    score: tuple[array[float], array[float]] = field(default_factory=lambda: (array("d"), array("d")))
    absent: tuple[array[float], array[float]] = field(default_factory=lambda: (array("d"), array("d")))

    @property
    def name(self) -> str:
        """For titles: "nano, test"."""
        return f"{self.checkpoint}, {self.split}"

    def add(self, record: dict[str, Any], image: int) -> None:
        """Count a record."""
        for table, names in tables_of(record, self.split).items():
            for name in names:
                self.groups[table][name].add(record)
        claimed = _claims_absent(record)
        if claimed is not None:
            self.absent[0].append(claimed)
            self.absent[1].append(float(not record["has_target"]))
        if record["masked"] and record["score"] is not None:
            self.score[0].append(record["score"])
            self.score[1].append(record["iou"] if record["has_target"] else 0.0)
        if record["has_target"]:
            self.place.append(record["dialogue"])
            self.iou.append(record["iou"])
            self.image.append(image)
            self.ranked.append(record["score"] if record["masked"] and record["score"] is not None else -1.0)


def tables_of(record: dict[str, Any], split: str) -> dict[str, tuple[str, ...]]:
    """In which row of which table a record stands."""
    area, visible = record.get("area"), record.get("visible")
    tables: dict[str, tuple[str, ...]] = {"split": (split,)}
    if record.get("target") is not None:
        tables["target"] = (record["target"],)
    if record.get("kind") is not None:
        tables["last turn"] = (record["kind"],)
    if area is not None:
        large = f"large (≥ {LARGE:.0%} of the picture)"
        middle = f"middle ({SMALL:.0%} to {LARGE:.0%})"
        tables["size"] = (f"small (< {SMALL:.0%})" if area < SMALL else middle if area < LARGE else large,)
    if visible is not None:
        part = f"partly hidden ({HIDDEN_BELOW:.0%} to {HALF_SEEN:.0%} visible)"
        hidden = f"hidden (< {HIDDEN_BELOW:.0%} visible)"
        tables["occlusion"] = (hidden if visible < HIDDEN_BELOW else part if visible < HALF_SEEN else "not hidden",)
    return tables


def read_results(path: Path, *, every: bool = False) -> tuple[Path, list[Results]]:
    """A file of `pixelrs evaluate --json FILE`: the data set's folder and the results of each report.

    Args:
        path: The file.
        every: Of all of its conditions and baselines, each for itself; else of the first condition.

    Raises:
        DataError: It cannot be read, or is no such file, or has no records.
    """
    heads, folder = read_heads(path)
    found = {
        (place, condition): Results(head["checkpoint"], head["split"], condition, head)
        for place, head in enumerate(heads)
        for condition in itertools.islice(head["conditions"], None if every else 1)
    }
    images: list[dict[str, int]] = [{} for _ in heads]
    for place, record in records(path):
        results = found.get((place, record["condition"]))
        if results is not None:
            results.add(record, images[place].setdefault(record["img_id"], len(images[place])))
    return Path(folder), list(found.values())


def records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every record with the place of its report, one after another.

    Raises:
        DataError: As `read_results`.
    """
    import ijson

    place = -1
    try:
        with path.open("rb") as file:
            builder, depth = None, "reports.item.records.item"
            for prefix, event, value in ijson.parse(file, use_float=True):
                if (prefix, event) == ("reports.item", "start_map"):
                    place += 1
                if prefix == depth and event == "start_map":
                    builder = ijson.ObjectBuilder()
                if builder is not None:
                    builder.event(event, value)
                    if prefix == depth and event == "end_map":
                        yield place, builder.value
                        builder = None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ijson.JSONError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not what `pixelrs evaluate --json {path.name}` writes: {error}") from error


def read_heads(path: Path) -> tuple[list[dict[str, Any]], str]:
    """The reports without their records, and the data set's folder."""
    import ijson

    heads: list[dict[str, Any]] = []
    folder = ""
    try:
        with path.open("rb") as file:
            builder = None
            for prefix, event, value in ijson.parse(file, use_float=True):
                if prefix == "data" and event == "string":
                    folder = value
                if (prefix, event) == ("reports.item", "start_map"):
                    builder = ijson.ObjectBuilder()
                inner = prefix.startswith("reports.item.records") or (prefix, value) == ("reports.item", "records")
                if builder is not None and not inner:
                    builder.event(event, value)
                if builder is not None and (prefix, event) == ("reports.item", "end_map"):
                    heads.append(builder.value)
                    builder = None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ijson.JSONError as error:
        raise DataError(f"{path}: is not JSON: {str(error).splitlines()[0]}") from error
    if not heads or not all({"checkpoint", "split", "conditions"} <= head.keys() for head in heads):
        raise DataError(f"{path}: not what `pixelrs evaluate --json FILE` writes: it has no reports")
    return heads, folder


def choose_cases(results: Results) -> dict[str, list[int]]:
    """Dialogues with a target that are the best, in the middle, and the worst, at most `CASES` each, none twice."""
    order = sorted(range(len(results.iou)), key=lambda index: (-results.iou[index], results.place[index]))
    count = min(CASES, len(order) // 3) or min(1, len(order))
    middle = max(0, len(order) // 2 - count // 2)
    chosen = {"best": order[:count], "median": order[middle : middle + count], "worst": order[::-1][:count]}
    return {name: [results.place[index] for index in places] for name, places in chosen.items()}


def read_cases(path: Path, place: int, condition: str, wanted: set[int]) -> dict[int, Case]:
    """The records of some dialogues of one report."""
    return {
        record["dialogue"]: Case(record["iou"], tuple(record["said"]), record.get("shown", ""), record["focus"])
        for where, record in records(path)
        if where == place and record["condition"] == condition and record["dialogue"] in wanted
    }


def paired_difference(
    first: Results, second: Results, *, rounds: int = 2000, seed: int = 0
) -> tuple[int, float, float, float] | None:
    """How much the second's gIoU is above the first's, over the dialogues that both have.

    The interval is that of the percentile bootstrap over pictures of the differences, each dialogue with itself.

    Returns:
        Number of dialogues, mean difference, and the ends of its 95 % interval; None where there is no common one.
    """
    from pixelrs_ros.evaluation.metrics import bootstrap_interval

    places, left, right = np.intersect1d(np.asarray(first.place), np.asarray(second.place), return_indices=True)
    if not places.size:
        return None
    differences = np.asarray(second.iou)[right] - np.asarray(first.iou)[left]
    groups = [str(image) for image in np.asarray(first.image)[left]]
    low, high = bootstrap_interval(differences.tolist(), groups, rounds=rounds, seed=seed)
    return places.size, float(differences.mean()), low, high


def _right(record: dict[str, Any]) -> bool:
    statuses = record["statuses"]
    ended = not statuses or statuses[-1][0] == statuses[-1][1]
    ended &= not any(record.get("failures", ())[-1:])
    return bool(ended and (not record["has_target"] or record["iou"] > RIGHT_IOU))


def _claims_absent(record: dict[str, Any]) -> float | None:
    """How surely an answer says that nothing is there: 1 as "not found", else what its mask's score leaves."""
    if record["statuses"] and record["statuses"][-1][1] == Status.NOT_FOUND.value:
        return 1.0
    return 1.0 - float(record["score"]) if record["masked"] and record["score"] is not None else None
