"""Batches of the published recipe and their loss."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.data.examples import Example
from pixelrs_ros.images import encoder_images, to_pixels
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.config import RecipeLosses
from pixelrs_ros.training.loop import Objective, Terms
from pixelrs_ros.training.published.mixture import Mixture
from pixelrs_ros.training.published.stage import Batch, Collator, StagePhase

LOSSES = RecipeLosses(cross_entropy=1.0, dice=0.5, focal=2.0, boundary=0.25)


def picture(seed: int, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def square(top: int, left: int, side: int = 10) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[top : top + side, left : left + side] = True
    return mask


TWO_TURNS = Example(
    picture(1),
    (("I want to drink.", "The[OBJ] mug[SEG] or the[OBJ] ball[SEG]?"), ("The mug", "[OBJ] the handle[SEG].")),
    (square(0, 0), None, square(20, 30)),
)
TALK = Example(picture(2, 30, 30), (("What is this?", "noise"),), ())


@pytest.fixture
def collate(debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Collator:
    layout = ChatLayout(debug_tokenizer, debug_config.clip.num_patches, debug_config.text)
    return Collator(debug_config, layout)


@pytest.fixture
def phase(debug_miras: Miras, collate: Collator) -> StagePhase:
    nothing = Mixture({"talk": Fixed(TALK)}, {"talk": 1.0}, (0,))
    debug_miras.requires_grad_(True)
    return StagePhase("stage", debug_miras, collate, nothing, nothing, LOSSES, num_eval=3, eval_batch=2)


class Fixed:
    """A source of one example."""

    def __init__(self, example: Example) -> None:
        self.example = example

    def __len__(self) -> int:
        return 1

    def draw(self, rng: np.random.Generator) -> Example:
        return self.example


def test_a_batch_is_what_the_network_will_read_and_say(collate: Collator, debug_config: MirasConfig) -> None:
    layout = collate.layout
    batch = collate([TALK, TWO_TURNS])
    (user, first), (again, second) = TWO_TURNS.turns
    expected = [*layout.prompt([(user, first)], again), *layout.answer(second)]
    assert batch.ids[1].tolist() == expected and batch.present.sum(dim=1)[1] == len(expected)
    assert batch.ids[1][batch.predict[1].roll(1)].tolist() == [*layout.answer(first), *layout.answer(second)]
    short = [*layout.prompt([], "What is this?"), *layout.answer("noise")]
    assert batch.ids[0, : len(short)].tolist() == short and batch.present[0].sum() == len(short)
    assert batch.ids[0][batch.predict[0].roll(1)].tolist() == layout.answer("noise")
    assert batch.num_masks == 2, "the ball has no mask"
    assert (batch.ids[batch.seg_at[:, 0], batch.seg_at[:, 1] + 1] == layout.seg_id).all()
    segs = [i for i, token in enumerate(expected) if token == layout.seg_id]
    assert batch.seg_at.tolist() == [[1, segs[0] - 1], [1, segs[2] - 1]]
    for row, example in enumerate((TALK, TWO_TURNS)):
        pixels = to_pixels(encoder_images(example.image, debug_config), debug_config)
        for name in ("clip", "convnext", "sam"):
            assert torch.equal(getattr(batch, name)[row], getattr(pixels, name)[0]), name


def test_targets_are_covered_shares_of_the_padded_square(collate: Collator) -> None:
    targets = collate([TWO_TURNS]).targets
    cells = 64 / 32 / (64 / 60)  # px of the image along a cell's side
    assert targets.shape == (2, 1, 32, 32) and targets.min() >= 0 and targets.max() == 1
    assert targets.sum(dim=(1, 2, 3)).tolist() == pytest.approx([100 / cells**2] * 2, rel=0.05)
    assert targets[0, 0, 0, 0] == 1 and targets[1, 0, 13, 18] == 1
    assert targets[:, :, 23:].abs().max() == 0, "below the picture"


def test_the_oldest_turns_go_where_the_context_is_too_small(collate: Collator, debug_config: MirasConfig) -> None:
    whole = collate.encode(TWO_TURNS)
    text = dataclasses.replace(debug_config.text, max_answer_tokens=1, max_context_tokens=len(whole.ids) - 1)
    cut = Collator(dataclasses.replace(debug_config, text=text), collate.layout).encode(TWO_TURNS)
    layout = collate.layout
    assert cut.ids == [*layout.prompt([], "The mug"), *layout.answer(TWO_TURNS.turns[1][1])]
    assert len(cut.masks) == 1 and cut.masks[0] is TWO_TURNS.masks[2]
    text = dataclasses.replace(debug_config.text, max_answer_tokens=1, max_context_tokens=len(cut.ids) - 3)
    tiny = Collator(dataclasses.replace(debug_config, text=text), collate.layout).encode(TWO_TURNS)
    assert tiny.ids == cut.ids[:-3] and len(tiny.masks) == tiny.ids.count(layout.seg_id) == 0


def parts_of(phase: StagePhase, *batches: Batch) -> tuple[torch.Tensor, Terms, dict[str, torch.Tensor]]:
    """Loss, terms and gradients of a step made of these batches."""
    own = [phase.sizes(batch) for batch in batches]
    sizes = {name: torch.tensor(max(1, sum(one[name] for one in own))) for name in own[0]}
    phase.module.zero_grad()
    results = [phase.loss(batch, sizes) for batch in batches]
    loss = torch.stack([loss for loss, _ in results]).sum()
    loss.backward()
    terms = {name: sum((one[name] for _, one in results), torch.zeros(())) for name in results[0][1]}
    return loss, terms, {n: p.grad.clone() for n, p in phase.module.named_parameters() if p.grad is not None}


def test_masks_are_learned_with_the_details_that_the_robot_adds(phase: StagePhase, collate: Collator) -> None:
    _, _, gradients = parts_of(phase, collate([TWO_TURNS]))
    assert gradients["detail.projector.weight"].any()


def test_shares_of_uneven_batches_add_up(phase: StagePhase, collate: Collator) -> None:
    three = [TWO_TURNS, TALK, dataclasses.replace(TWO_TURNS, image=picture(3))]
    loss, terms, gradients = parts_of(phase, collate(three))
    for cut in (1, 2):
        others = parts_of(phase, collate(three[:cut]), collate(three[cut:]))
        assert others[0].item() == pytest.approx(loss.item(), rel=1e-5)
        assert {n: v.item() for n, v in others[1].items()} == pytest.approx({n: v.item() for n, v in terms.items()})
        scale = max(float(gradient.abs().max()) for gradient in gradients.values())
        for name, gradient in gradients.items():
            assert torch.allclose(others[2][name], gradient, atol=1e-5 * scale), name


def test_the_loss_is_the_weighted_sum_of_its_terms(phase: StagePhase, collate: Collator) -> None:
    loss, terms, _ = parts_of(phase, collate([TWO_TURNS]))
    weighted = terms["words"] + 0.5 * terms["dice"] + 2 * terms["focal"] + 0.25 * terms["boundary"]
    assert loss.item() == pytest.approx(weighted.item(), rel=1e-6)
    assert all(terms[name] > 0 for name in ("words", "dice", "focal", "boundary"))


def test_without_masks_the_decoder_runs_but_learns_nothing(phase: StagePhase, collate: Collator) -> None:
    _, terms, gradients = parts_of(phase, collate([TALK]))
    assert terms["dice"] == terms["iou"] == 0 < terms["words"]
    decoder = {name: gradient for name, gradient in gradients.items() if "mask_decoder" in name}
    assert decoder and not any(gradient.any() for gradient in decoder.values())
    assert gradients["language.lm_head.weight"].any()


@torch.no_grad()
def test_measurements_are_means_over_whole_batches(phase: StagePhase, collate: Collator) -> None:
    phase.module.eval()
    measured = phase.evaluate(Objective(phase))
    one = {"tokens": torch.tensor(len(collate.layout.answer("noise"))), "masks": torch.tensor(1)}
    _, terms = phase.loss(collate([TALK]), one)
    assert measured["words"] == pytest.approx(terms["words"].item(), rel=1e-4) and measured["dice"] == 0


def test_mixtures_keep_their_rates_and_follow_from_seed_and_number() -> None:
    other = dataclasses.replace(TALK, turns=(("And?", "other"),))
    sources = {"prist": Fixed(TALK), "vqa": Fixed(other), "unused": Fixed(TWO_TURNS)}
    mixture = Mixture(sources, {"prist": 5.0, "vqa": 1.0}, (1,))
    drawn = [mixture[number].turns[0][1] for number in range(1200)]
    assert set(drawn) == {"noise", "other"}
    assert drawn.count("other") == pytest.approx(200, abs=40)  # three standard deviations
    again = Mixture(sources, {"prist": 5.0, "vqa": 1.0}, (1,))
    assert [again[number].turns[0][1] for number in (7, 3, 900)] == [drawn[number] for number in (7, 3, 900)]
    salted = Mixture(sources, {"prist": 5.0, "vqa": 1.0}, (2,))
    assert [salted[number].turns[0][1] for number in range(1200)] != drawn
