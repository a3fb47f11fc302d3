"""SAM 2 and SAM 3's tracker from the published folders: the weights, what they are shown, and the masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_vlm import SIDE, SIDE_3, write_sam
from torch.nn import functional as F

from pixelrs_ros.config import VlmConfig
from pixelrs_ros.engine.vlm.boxes import Prompt
from pixelrs_ros.engine.vlm.loading import load_sam
from pixelrs_ros.engine.vlm.sam import PromptedSam

KINDS = ("sam2_video", "sam3_tracker", "sam3_video")
IMAGE = np.random.default_rng(0).integers(0, 256, (90, 150, 3), np.uint8)
PROMPTS = (
    Prompt((15.0, 9.0, 90.0, 72.0), None),
    Prompt(None, (60.0, 45.0)),
    Prompt((15.0, 9.0, 90.0, 72.0), (60.0, 45.0)),
)


def load(folder: Path, dtype: torch.dtype = torch.float32) -> PromptedSam:
    return load_sam(folder.parent, VlmConfig(kind="vlm", sam=folder.name), "cpu", dtype)


@pytest.fixture(params=KINDS)
def sam(request: pytest.FixtureRequest, tmp_path: Path) -> PromptedSam:
    write_sam(tmp_path / "sam", request.param)
    return load(tmp_path / "sam")


def test_the_tracker_takes_its_weights_out_of_the_whole_sam_3(tmp_path: Path) -> None:
    whole = write_sam(tmp_path / "sam", "sam3_video").state_dict()
    taken = load(tmp_path / "sam").model.state_dict()
    lies = {
        "vision_encoder.backbone.": "detector_model.vision_encoder.backbone.",
        "vision_encoder.neck.": "tracker_neck.",  # the tracker's own, not the detector's
        "": "tracker_model.",
    }
    for name, value in taken.items():
        mine, theirs = next(pair for pair in lies.items() if name.startswith(pair[0]))
        assert torch.equal(value, whole[theirs + name.removeprefix(mine)]), name


@torch.inference_mode()
@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_mask_is_that_of_transformers_own_forward(sam: PromptedSam, prompt: Prompt) -> None:
    """A picture that is not square: encoded once and cut later here, in one pass there."""
    side = SIDE_3 if sam.kind.startswith("sam3") else SIDE
    mask, quality = sam.cut(sam.encode(IMAGE), prompt, 150, 90)
    given = {}
    if prompt.box is not None:
        x0, y0, x1, y1 = prompt.box
        given["input_boxes"] = torch.tensor([[[x0 / 150 * side, y0 / 90 * side, x1 / 150 * side, y1 / 90 * side]]])
    if prompt.point is not None:
        given["input_points"] = torch.tensor([[[[prompt.point[0] / 150 * side, prompt.point[1] / 90 * side]]]])
        given["input_labels"] = torch.ones(1, 1, 1, dtype=torch.long)
    whole = sam.model(pixel_values=sam.pixels(IMAGE), multimask_output=False, **given)
    expected = F.interpolate(whole.pred_masks[0], (90, 150), mode="bilinear", align_corners=False)[0, 0] > 0
    assert mask.shape == (90, 150) and 0 < mask.mean() < 1
    assert (mask != expected.numpy()).mean() < 1e-3
    assert quality == pytest.approx(float(whole.iou_scores.clamp(0, 1)), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_in_16_bits_the_box_stays_precise(kind: str, tmp_path: Path) -> None:
    write_sam(tmp_path / "sam", kind)
    precise, half = load(tmp_path / "sam"), load(tmp_path / "sam", torch.bfloat16)
    assert half.pixels(IMAGE).dtype == half.encode(IMAGE).dtype == torch.bfloat16
    for name, value in precise.model.state_dict().items():
        if "positional_embedding" in name or name.startswith("prompt_encoder"):
            assert torch.equal(half.model.state_dict()[name], value), name
    (mask, _), (other, _) = (sam.cut(sam.encode(IMAGE), PROMPTS[0], 150, 90) for sam in (precise, half))
    assert (mask != other).mean() < 0.05
    assert 2 * half.num_bytes == precise.num_bytes == precise.encode(IMAGE).nbytes


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_shown_what_its_preprocessor_config_says(kind: str, tmp_path: Path) -> None:
    write_sam(tmp_path / "sam", kind)
    seen = load(tmp_path / "sam").pixels(np.full((90, 150, 3), 255, np.uint8))
    side, white = (SIDE, [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    if kind != "sam2_video":
        side, white = SIDE_3, [1.0, 1.0, 1.0]
    assert seen.shape == (1, 3, side, side)
    assert seen.mean(dim=(0, 2, 3)).tolist() == pytest.approx(white, abs=1e-4)
    assert float(seen.std(dim=(0, 2, 3)).max()) < 1e-5
