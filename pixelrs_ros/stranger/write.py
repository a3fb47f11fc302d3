"""Writes the set into a PRIST folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.files import write_file
from pixelrs_ros.stranger.scene import Scene, make_scene
from pixelrs_ros.stranger.steps import Speaker
from pixelrs_ros.stranger.talk import dialogue, single, to_prist

SPLIT = "test_stranger"
SINGLE_SHARE = 0.62  # a little above what is left when sayings that repeat are dropped
TALKS_PER_IMAGE = 3


def write_stranger(folder: Path, count: int, seed: int = 0) -> int:
    """Adds pictures, masks and the split `test_stranger` to a PRIST folder; the same bytes for the same seed.

    Args:
        folder: Is made where it is not there; other splits in it stay.
        count: How many pictures; every second one is textured.
        seed: Seeds every choice.

    Returns:
        The number of dialogues.
    """
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    talks: list[prist.PristDialogue] = []
    for index in range(count):
        img_id = f"stranger_{index:06d}.jpg"
        scene = make_scene(seed * 1_000_000 + index, textured=index % 2 == 0)
        _write_scene(folder, img_id, scene)
        talks += _talks(scene, img_id)
    prist.write_records(prist.split_path(folder, SPLIT), [talk.to_record() for talk in talks])
    return len(talks)


def _write_scene(folder: Path, img_id: str, scene: Scene) -> None:
    quality = int(np.random.default_rng(scene.seed).integers(85, 97))
    done, content = cv2.imencode(".jpg", scene.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    write_file(prist.image_path(folder, img_id), content.tobytes())
    masks = {(label, index): mask for index, (label, mask) in enumerate(scene.masks().items())}
    annotation = labelme.annotate(f"../images/{img_id}", masks)
    write_file(prist.mask_path(folder, img_id), labelme.to_json(annotation).encode())


def _talks(scene: Scene, img_id: str) -> list[prist.PristDialogue]:
    """Different talks about one picture."""
    speaker = Speaker(np.random.default_rng([scene.seed, 7]), scene)
    talks: dict[str, prist.PristDialogue] = {}
    while len(talks) < TALKS_PER_IMAGE:
        talk = single(speaker) if speaker.chance(SINGLE_SHARE) else dialogue(speaker)
        talks.setdefault(talk[0].user.lower(), to_prist(talk, img_id, scene))
    return list(talks.values())
