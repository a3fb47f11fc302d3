"""How well masks follow their targets in simulated videos: the package's tracker beside simpler ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.frames import EncodedFrame
from pixelrs_ros.images import encoder_images, masks_to_image, to_pixels
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.picture.video import SITUATIONS, Situation, sample_video
from pixelrs_ros.tracking.motion import dense_flow, measure_flow, pixel_grid, resample
from pixelrs_ros.tracking.tracker import MIN_CONFIDENCE, Tracker, TrackState
from pixelrs_ros.types import Segment

# A way to follow a mask: (H, W, 3) uint8 RGB of the next picture -> (H, W) bool, empty when the target is lost, and a
# confidence in [0, 1].
Method = Callable[[np.ndarray], tuple[np.ndarray, float]]

FIRST_SEED = 921_000  # of the scenes that are reported; the tracker was made on others
WIDTH_PX, HEIGHT_PX = 320, 240
_VISIBLE = 0.1  # share of its first frame's area that a target must show to count as visible
_GROUNDED_IOU = 0.5  # a first mask that is worse does not show the target


@dataclass(frozen=True, eq=False)
class Recording:
    """A rendered video and the truth.

    Attributes:
        situation: What happens in it.
        seed: Seeds the scene.
        images: (N, H, W, 3) uint8 RGB.
        object_ids: (N, H, W) uint8.
        target: Which of them is to be followed.
        words: Its color and kind.
    """

    situation: str
    seed: int
    images: np.ndarray
    object_ids: np.ndarray
    target: int
    words: str

    @property
    def truth(self) -> np.ndarray:
        """(N, H, W) bool."""
        masks: np.ndarray = self.object_ids == self.target
        return masks


def recordings(per_situation: int, first_seed: int, kept: Path | None) -> Iterator[Recording]:
    """Render videos, three times as many with a plain occlusion as with each of the other situations.

    Args:
        per_situation: How many of each.
        first_seed: Seeds the first scene; every video has a scene of its own.
        kept: Folder where rendered videos are kept and looked for; None: nowhere.
    """
    counts = {situation: per_situation * (3 if situation == "occlusion" else 1) for situation in SITUATIONS}
    wanted = [situation for situation in SITUATIONS for _ in range(counts[situation])]
    with Renderer(WIDTH_PX, HEIGHT_PX) as renderer:
        for seed, situation in enumerate(wanted, start=first_seed):
            path = None if kept is None else kept / f"{situation}_{seed}.npz"
            if path is not None and path.exists():
                stored = np.load(path)
                yield Recording(
                    situation, seed, stored["images"], stored["object_ids"], int(stored["target"]), str(stored["words"])
                )
                continue
            recording = _record(renderer, situation, seed)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                np.savez(path, **{name: value for name, value in vars(recording).items() if name != "situation"})
            yield recording


def _record(renderer: Renderer, situation: Situation, seed: int) -> Recording:
    video = sample_video(seed, situation)
    views = [renderer.render(scene) for scene in video.scenes]
    images = np.stack([np.zeros_like(view.image) if i in video.dark else view.image for i, view in enumerate(views)])
    thing = next(thing for thing in video.scenes[0].objects if thing.object_id == video.target)
    object_ids = np.stack([view.object_ids for view in views])
    return Recording(situation, seed, images, object_ids, video.target, f"{thing.color} {thing.kind}")


def follow_with_tracker(image: np.ndarray, mask: np.ndarray) -> Method:
    """The package's way."""
    tracker = Tracker(image, [mask])

    def follow(picture: np.ndarray) -> tuple[np.ndarray, float]:
        (found,) = tracker.update(picture)
        return found.mask, found.confidence if found.state is TrackState.TRACKED else 0.0

    return follow


def follow_with_flow(image: np.ndarray, mask: np.ndarray) -> Method:
    """Carry the mask from each frame to the next by dense flow, and nothing else."""
    flow = dense_flow()
    before, soft = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), mask.astype(np.float32)
    grid = pixel_grid(*mask.shape)

    def follow(picture: np.ndarray) -> tuple[np.ndarray, float]:
        nonlocal before, soft
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        soft = resample(soft, grid + measure_flow(flow, gray, before))
        before = gray
        return soft > 0.5, 1.0

    return follow


def hold_still(image: np.ndarray, mask: np.ndarray) -> Method:
    """The first mask for ever."""
    return lambda picture: (mask, 1.0)


class PromptEngine(Engine):
    """Remembers the prompt of the last `[SEG]`, and decodes it on other pictures."""

    prompt: torch.Tensor | None = None

    def _segment(self, encoded: EncodedFrame, hidden: torch.Tensor, phrase: str, certainty: float) -> Segment:
        self.prompt = self.miras.prompts(hidden, encoded.image_tokens)
        return super()._segment(encoded, hidden, phrase, certainty)

    def ground(self, image: np.ndarray, words: str) -> np.ndarray:
        """The first mask, (H, W) bool, that one of a few ways to ask for a thing gets; empty where none gets any."""
        self.prompt = None
        encoded = self.encode(image)
        for text in (f"find the {words}", f"look for a {words}", f"find a {words.split()[-1]}"):
            reply = self.answer(encoded, (), text)
            if reply.segments:
                return reply.segments[0].mask
        return np.zeros(image.shape[:2], np.bool_)

    def follow_with_prompt(self) -> Method:
        """SAM's image encoder and mask decoder on every picture with the prompt of the turn."""
        prompt = self.prompt
        assert prompt is not None  # there was a mask

        @torch.inference_mode()
        def follow(picture: np.ndarray) -> tuple[np.ndarray, float]:
            pixels = to_pixels(encoder_images(picture, self.config), self.config)
            clip, sam = (x.to(self.device, self.dtype) for x in (pixels.clip, pixels.sam))
            convnext = None if pixels.convnext is None else pixels.convnext.to(self.device, self.dtype)
            _, embedding = self.miras.see(clip, convnext, sam)
            logits, quality = self.miras.sam.decode(embedding, prompt, torch.zeros(1, dtype=torch.long))
            height_px, width_px = picture.shape[:2]
            mask = masks_to_image(logits.float(), height_px, width_px, self.config)[0] > 0
            return mask.cpu().numpy(), float(quality.clamp(0, 1))

        return follow


def measure(recording: Recording, first: np.ndarray, method: Method) -> dict[str, Any]:
    """Follow a mask through a recording.

    Args:
        recording: The video.
        first: (H, W) bool, the mask on its first frame.
        method: Has seen that.

    Returns:
        IoU of the first frame; mean IoU of the visible frames and its ratio to that; the numbers of frames in which the
        target is visible, in which it is but is lost, and in which a confident mask was given, lay mostly on another
        object, or mostly beside the target; milliseconds a frame.
    """
    truth = recording.truth
    area = truth[0].sum()
    ious, spent_s = [_iou(first, truth[0])], []
    lost = confident = wrong = beside = 0
    for image, ids, wanted in zip(recording.images[1:], recording.object_ids[1:], truth[1:], strict=True):
        started_s = time.thread_time()
        mask, confidence = method(image)
        spent_s.append(time.thread_time() - started_s)
        visible = wanted.sum() >= _VISIBLE * area
        if visible:
            ious.append(_iou(mask, wanted))
            lost += not mask.any()
        if mask.any() and confidence >= MIN_CONFIDENCE:
            confident += 1
            wrong += bool((mask & (ids != 0) & ~wanted).sum() > 0.5 * mask.sum())
            beside += bool((mask & ~wanted).sum() > 0.5 * mask.sum())
    return {
        "first IoU": round(ious[0], 4), "IoU": round(float(np.mean(ious)), 4),
        "share of the first": round(float(np.mean(ious)) / ious[0], 4), "visible": len(ious), "lost": int(lost),
        "confident": confident, "wrong": wrong, "beside": beside, "ms": round(1e3 * float(np.median(spent_s)), 2),
    }  # fmt: skip


def _iou(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / max(1, (mask | truth).sum()))


def measure_all(
    videos: Iterator[Recording], engine: PromptEngine | None, prompted: int, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Every way on every video.

    Args:
        videos: What to follow in.
        engine: Gives first masks of its own, and prompts; None: only masks that begin as the truth.
        prompted: On how many videos, with a first mask that shows the target, the prompt is tried: it is slow.
        tell: Called with each row.

    Returns:
        Rows with the situation, the seed, the way, where its first mask came from, and what `measure` says.
    """
    rows = []
    for recording in videos:
        image, truth = recording.images[0], recording.truth[0]
        ways: list[tuple[str, str, np.ndarray, Method]] = [
            ("keyframe flow", "truth", truth, follow_with_tracker(image, truth)),
            ("flow alone", "truth", truth, follow_with_flow(image, truth)),
            ("held still", "truth", truth, hold_still(image, truth)),
        ]
        if engine is not None and prompted > 0 and recording.situation in ("occlusion", "look_alike"):
            mask = engine.ground(image, recording.words)
            if _iou(mask, truth) >= _GROUNDED_IOU:
                prompted -= 1
                ways.append(("keyframe flow", "network", mask, follow_with_tracker(image, mask)))
                ways.append(("[SEG] prompt", "network", mask, engine.follow_with_prompt()))
        for name, source, mask, method in ways:
            row = {"situation": recording.situation, "seed": recording.seed, "way": name, "first mask": source}
            row |= measure(recording, mask, method)
            rows.append(row)
            tell(
                f"{recording.situation:18} {recording.seed} {name:14} {source:8} IoU {row['IoU']:.3f} of "
                f"{row['first IoU']:.3f}, lost {row['lost']}, wrong {row['wrong']}, beside {row['beside']}"
            )
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each way, source of the first mask and situation: means, sums and the worst video."""
    keys = list(dict.fromkeys((row["way"], row["first mask"], row["situation"]) for row in rows))
    result = []
    for way, source, situation in keys:
        group = [row for row in rows if (row["way"], row["first mask"], row["situation"]) == (way, source, situation)]
        shares = [row["share of the first"] for row in group]
        counts = {name: sum(row[name] for row in group) for name in ("visible", "lost", "confident", "wrong", "beside")}
        means = {"share of the first": round(float(np.mean(shares)), 3), "worst": round(min(shares), 3)}
        spent = {"ms": round(float(np.median([row["ms"] for row in group])), 1)}
        names = {"way": way, "first mask": source, "situation": situation, "videos": len(group)}
        result.append({**names, **means, **counts, **spent})
    return result
