from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.training.cache import MAX_REGIONS, SplitArrays
from pixelrs_ros.training.concepts import parse_label


def a_dialogue(*turns: tuple[str, str, str, list[str]]) -> dict[str, Any]:
    """A dialogue as PRIST's JSON has it, of (user, answer, status, labels of the targets or of what is left open)."""
    said = [{"from": who, "value": turn[index]} for turn in turns for index, who in enumerate(("human", "gpt"))]
    meta = {
        "statuses": [turn[2] for turn in turns],
        "targets": [[] if turn[2] == "clarify" else turn[3] for turn in turns],
        "candidates": [turn[3] if turn[2] == "clarify" else [] for turn in turns],
    }
    return {"img_id": "a.jpg", "dialogue": said, "meta": meta}


DIALOGUES = [
    a_dialogue(
        ("I want to drink.", " Which one?", "clarify", ["red mug", "blue ball"]),
        ("The red one, by its handle.", "[OBJ] the handle of the red mug[SEG].", "grounded", ["handle of the red mug"]),
    ),
    a_dialogue(
        ("Everything red and blue.", "[OBJ] the red mug[SEG] and[OBJ] the blue ball[SEG].", "grounded",
         ["red mug", "blue ball"]),
    ),
    a_dialogue(
        ("Is there a knife?", " There is no knife.", "not_found", []),
        ("Then the ball", "[OBJ] the blue ball[SEG], to play.", "grounded", ["blue ball"]),
    ),
]  # fmt: skip


@pytest.fixture
def split(debug_config: MirasConfig) -> SplitArrays:
    """Two pictures of 48 by 64: a mug whose handle fills one cell of a 4 by 4 grid, and a ball in the right half."""
    regions = np.zeros((2, 48, 64), np.uint8)
    regions[:, 12:24, 0:32] = 1
    regions[:, 12:24, 16:32] = 2
    regions[:, 30:40, 40:60] = 3
    concepts = np.zeros((2, MAX_REGIONS, 3), np.uint8)
    for region, label in enumerate(("red mug", "handle of the red mug", "blue ball"), start=1):
        concept = parse_label(label)
        concepts[:, region] = (concept.kind, concept.color, concept.part)
    objects = np.zeros((2, MAX_REGIONS), np.uint8)
    objects[:, 1:4] = (1, 1, 3)
    rng = np.random.default_rng(0)
    clip, convnext = debug_config.clip.image_size_px, debug_config.convnext.image_size_px
    return SplitArrays(
        clip=rng.integers(0, 256, (2, clip, clip, 3), np.uint8),
        convnext=rng.integers(0, 256, (2, convnext, convnext, 3), np.uint8),
        sam=rng.integers(0, 256, (2, 48, 64, 3), np.uint8),
        regions=regions,
        concepts=concepts,
        objects=objects,
        dialogues=[DIALOGUES, DIALOGUES[1:]],
    )
