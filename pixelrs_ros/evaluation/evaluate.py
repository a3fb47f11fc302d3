"""Plays every dialogue of a data set's split under some conditions and scores the last turn's masks and words."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np

from pixelrs_ros.data.readers.entries import UNCOUNTED
from pixelrs_ros.data.shelf import Shelf
from pixelrs_ros.evaluation.baselines import CHOOSERS, HELPED, Case, HelpedEngine, Shown
from pixelrs_ros.evaluation.content import content_right
from pixelrs_ros.evaluation.metrics import score_mask
from pixelrs_ros.evaluation.play import AnsweringEngine, Condition, Played, play
from pixelrs_ros.evaluation.published import data_set_of
from pixelrs_ros.evaluation.records import Record, encode_shown
from pixelrs_ros.evaluation.samples import Sample, Samples, is_whole
from pixelrs_ros.evaluation.tallies import Tally
from pixelrs_ros.types import Status
from pixelrs_ros.workers import ALONE, Workers, spread

EngineFactory = Callable[[], AnsweringEngine]

SECOND = 0.15  # of an object's area: a mask that covers so much of a second one is not one object's
BASELINE_SEED = 0  # the random object is the same in every run


@dataclass(frozen=True)
class Job:
    """What is scored and how; travels to the worker processes.

    Attributes:
        samples: The dialogues.
        conditions: At least one; the first is the headline.
        baselines: Of `HELPED`.
    """

    samples: Samples
    conditions: tuple[Condition, ...]
    baselines: tuple[str, ...] = ()


def evaluate(
    job: Job,
    make_engine: EngineFactory,
    *,
    workers: Workers = ALONE,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, Any], Shelf[Record]]:
    """Score a data set.

    Args:
        job: What and how.
        make_engine: Called once in every process that plays; must be picklable and hashable when there are several.
        workers: The processes that share the images; a single one is this one. Other machines need the data set and the
            checkpoint in the same place as this one.
        on_progress: Called with the number of dialogues that were just finished.

    Returns:
        The report (JSON types: "split", "format", "data_set" (see `data_set_of`), "pictures", "dialogues", "images",
        "peak_memory_mb", and under "conditions" what `Tally.summary` says of each condition and baseline), and the
        records behind it, ordered by condition and dialogue, on disk.

    Raises:
        ValueError: There is no dialogue or no condition.
        DataError: An image or its masks are missing or malformed.
        PixelrsError: See `workers.spread`; or what `make_engine` raises.
    """
    images = job.samples.count_images()
    if not images or not job.conditions:
        raise ValueError(f"need dialogues and conditions, got {images} images, {len(job.conditions)} conditions")
    names = [condition.name for condition in job.conditions] + [*CHOOSERS, *(name for name, _ in HELPED.values())]
    dialogues = len(job.samples.all)
    records: Shelf[Record] = Shelf()
    for finished in _played_groups(job, make_engine, workers):
        for record in finished:
            records.put(names.index(record.condition) * dialogues + record.dialogue, record)
        if on_progress:
            on_progress(len({record.dialogue for record in finished}))
    tallies = {name: Tally() for name in names}
    for record in records:
        tallies[record.condition].add(record)
    report = {
        "split": job.samples.split,
        "format": job.samples.form,
        "data_set": data_set_of(job.samples),
        "pictures": str(job.samples.pictures) if job.samples.pictures else None,
        "dialogues": dialogues,
        "images": images,
        "conditions": {name: tally.summary() for name, tally in tallies.items() if tally.count},
        "peak_memory_mb": round(_peak_memory_mb(), 1),
    }
    return report, records


def _peak_memory_mb() -> float:
    """Of the largest process that this program has run until now, itself included."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in whose) / 1024  # Linux counts in KiB


def _played_groups(job: Job, make_engine: EngineFactory, workers: Workers) -> Iterator[list[Record]]:
    groups = job.samples.by_image()
    if workers == ALONE:
        engine = make_engine()
        yield from (score_image(engine, job, group) for group in groups)
    else:
        yield from spread(_ScoreInWorker(job, make_engine), groups, workers)


@dataclass(frozen=True)
class _ScoreInWorker:
    """Plays the dialogues of one picture with the process's own engine."""

    job: Job
    make_engine: EngineFactory

    def __call__(self, group: Sequence[Sample]) -> list[Record]:
        return score_image(_worker_engine(self.make_engine), self.job, group)


@cache
def _worker_engine(make_engine: EngineFactory) -> AnsweringEngine:
    """Made by the first image, not by the initializer, whose errors would not reach the parent process."""
    return make_engine()


def score_image(engine: AnsweringEngine, job: Job, group: Sequence[Sample]) -> list[Record]:
    """Play the dialogues about one image under every condition and add the baselines; the image is encoded once.

    Raises:
        DataError: The image or its masks are missing or malformed.
    """
    image, masks = job.samples.read(group[0].img_id)
    masks.setdefault(UNCOUNTED, np.zeros(image.shape[:2], np.bool_))
    records = []
    seen = {}
    for blind in sorted({condition.blind for condition in job.conditions} | ({False} if job.baselines else set())):
        start = time.perf_counter()
        encoded = engine.encode(image, blind=blind)
        encode_s = time.perf_counter() - start
        seen[blind] = encoded
        for condition in job.conditions:
            if condition.blind is not blind:
                continue
            for sample in group:
                played = play(engine, encoded, sample.exchanges, condition)
                records.append(_score_played(job, condition, sample, masks, played, encode_s))
    for sample in group:
        if sample.has_target:
            records += _score_baselines(job, sample, masks, engine, seen.get(False))
    return records


def _score_played(
    job: Job, condition: Condition, sample: Sample, masks: dict[str, np.ndarray], played: Played, encode_s: float
) -> Record:
    last = played.replies[-1]
    truth = _truth(sample, masks)
    shown = last.union_mask(*truth.shape) & ~masks[UNCOUNTED]
    asked = sample.exchanges[-len(played.replies) :]
    statuses = tuple((turn.status.value, reply.status.value) for turn, reply in zip(asked, played.replies, strict=True))
    phrases = tuple(segment.phrase for segment in last.segments)
    return Record(
        condition=condition.name,
        dialogue=sample.index,
        img_id=sample.img_id,
        focus=sample.focus,
        mask=score_mask(shown, truth),
        masked=any(segment.mask.any() for segment in last.segments),
        has_target=sample.has_target,
        pair=sample.pair,
        second=_covers_second([segment.mask for segment in last.segments], masks),
        content=tuple(
            content_right(reply.text, turn.answer)
            for turn, reply in zip(asked, played.replies, strict=True)
            if turn.status is Status.ANSWERED and sample.has_statuses
        ),
        said=tuple(reply.text or reply.message for reply in played.replies),
        phrases=phrases,
        words=job.samples.judge(sample, phrases),
        is_part=sample.is_part,
        score=_mean([segment.score for segment in last.segments]),
        quality=_mean([segment.quality for segment in last.segments]),
        certainty=_mean([segment.certainty for segment in last.segments]),
        kind=sample.kind,
        target=_target(sample),
        area=float(truth.mean()) if sample.has_target else None,
        visible=sample.visible,
        shown=encode_shown(shown),
        views=sample.views,
        hard=sample.hard,
        statuses=statuses if sample.has_statuses else (),
        failures=tuple("" if reply.status.answered else reply.message for reply in played.replies),
        answer_s=played.seconds,
        encode_s=encode_s,
    )


def _target(sample: Sample) -> str | None:
    """What kind of thing the target is; None where the data does not say."""
    if sample.target is None:
        return None
    return " and ".join(sorted(sample.target.parts or sample.target.kinds))


def _truth(sample: Sample, masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """(H, W) bool, all that the last turn should show together; empty where that is nothing."""
    nothing = np.zeros_like(masks[UNCOUNTED])
    return np.logical_or.reduce([nothing, *(masks[key] for key in sample.keys)])


def _covers_second(shown: Sequence[np.ndarray], masks: dict[str, np.ndarray]) -> bool | None:
    """Whether one of the masks covers more than one object by more than `SECOND`; None where that is not known."""
    wholes = [mask for label, mask in masks.items() if is_whole(label) and label != UNCOUNTED and mask.any()]
    if len(wholes) < 2 or not shown:
        return None
    covered = [sum(np.count_nonzero(mask & one) > SECOND * np.count_nonzero(one) for one in wholes) for mask in shown]
    return max(covered) > 1


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _score_baselines(
    job: Job, sample: Sample, masks: dict[str, np.ndarray], engine: AnsweringEngine, encoded: Any
) -> list[Record]:
    """Those that cost nothing and those that were asked for, of a dialogue with a target."""
    masks = {label: mask for label, mask in masks.items() if label != UNCOUNTED}
    wholes = {label: mask for label, mask in masks.items() if is_whole(label)} or masks
    rivals = wholes if len(wholes) > 1 else {}  # where only the target is labeled choosing it proves nothing
    rng = np.random.default_rng([BASELINE_SEED, sample.index])
    shown: dict[str, Shown | None] = {}
    for name, choose in CHOOSERS.items() if rivals else ():
        label = choose(rivals, rng)
        shown[name] = Shown(masks[label], (label,))
    case = Case(cast(HelpedEngine, engine), encoded, sample.exchanges, sample.keys, masks, rivals)
    shown |= {name: answer(case) for name, answer in map(HELPED.__getitem__, job.baselines)}
    truth = np.logical_or.reduce([masks[key] for key in sample.keys])
    return [
        Record(
            condition=name,
            dialogue=sample.index,
            img_id=sample.img_id,
            focus=sample.focus,
            mask=score_mask(one.mask, truth),
            masked=bool(one.mask.any()),
            said=one.phrases,
            phrases=one.phrases,
            words=job.samples.judge(sample, one.phrases),
            is_part=sample.is_part,
            kind=sample.kind,
            views=sample.views,
            hard=sample.hard,
        )
        for name, one in shown.items()
        if one is not None
    ]
