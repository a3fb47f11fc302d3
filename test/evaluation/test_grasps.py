"""From a mask to a thing in the air: planned on a depth camera's picture, tried with contact physics, and told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelrs_ros.evaluation.grasps import (
    HANDLE,
    LIFTED,
    NO_MASK,
    TRUTH,
    WHOLE,
    Bench,
    Trial,
    cases,
    run_trials,
    summary,
    true_mask,
)
from pixelrs_ros.evaluation.grasps_page import Page
from pixelrs_ros.gripper import Gripper
from pixelrs_ros.sim.picture.render import Renderer

SEED = 970_008  # not of those that `pixelrs measure-grasps` counts


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    return list(run_trials(1, SEED, {TRUTH: true_mask}, Gripper()))


def test_a_spoon_is_lifted_by_its_handle_and_what_was_chosen_as_a_whole(trials: list[Trial]) -> None:
    assert [trial.case.by for trial in trials] == [HANDLE, WHOLE]
    for trial in trials:
        assert trial.outcome == LIFTED
        assert trial.iou == 1.0
        assert trial.numbers["raised_m"] > 0.15
        assert len(trial.pictures) == 3
        assert all(picture.shape == (480, 640, 3) for picture in trial.pictures)


def test_what_is_asked_for_has_no_double() -> None:
    with Renderer() as renderer:
        for seed in range(SEED, SEED + 3):
            bench = Bench(renderer, seed, Gripper())
            names = [f"{thing.color} {thing.kind}" for thing in bench.view.objects]
            for case in cases(bench.view, seed):
                assert names.count(case.element.name) == 1
                assert case.element.name in case.words


def test_without_a_mask_nothing_is_tried() -> None:
    (first, _) = run_trials(1, SEED, {"network": lambda case, view: np.zeros((480, 640), np.bool_)}, Gripper())
    assert first.outcome == NO_MASK
    assert first.numbers == {}


def test_the_summary_counts_and_the_page_shows(trials: list[Trial], tmp_path: Path) -> None:
    rows = summary([trial.record() for trial in trials])
    assert [(row["by"], row["tried"], row["share"]) for row in rows] == [(WHOLE, 1, 1.0), (HANDLE, 1, 1.0)]
    page = Page()
    for trial in trials:
        page.add(trial)
    page.write(tmp_path / "page.html", "pixelrs measure-grasps", rows)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count('src="data:image/jpeg;base64,') == 6
    assert "http" not in text
    assert trials[0].case.words in text
