"""Fits the weights of `pixelrs_ros/grasping/proposals.py` to what a simulated gripper lifts, and prints them.

scripts/env.sh python scripts/fit_grasps.py --scenes 150

Grasps are tried in scenes that `pixelrs measure-grasps` does not use: half of them the best by the present weights, and
half any that touch nothing. Put what is printed into `WEIGHTS`, and run it once more, so that the new best are tried.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from pixelrs_ros.evaluation.grasps import Bench, cases, true_mask
from pixelrs_ros.geometry.depth import Rules
from pixelrs_ros.grasping.proposals import WEIGHTS, Clearance, candidates
from pixelrs_ros.grasping.view import tabletop
from pixelrs_ros.gripper import Gripper
from pixelrs_ros.sim.picture.render import Renderer

FIRST_SEED = 980_000
TRIES = 4  # of each half, for each target
PENALTY = 3.0  # on the weights' squares, but for that of "always"
ROUNDS = 30


def tries(bench: Bench, seed: int, gripper: Gripper) -> Iterator[tuple[np.ndarray, bool]]:
    """Features of grasps in one scene, and whether each lifted its target."""
    rng = np.random.default_rng(seed)
    for case in cases(bench.view, seed):
        scene, frame = tabletop(true_mask(case, bench.view), bench.depth_m, bench.camera, Rules())
        found = sorted(candidates(scene, gripper), key=lambda candidate: -candidate.odds)
        free = Clearance(scene, gripper)
        for order in (range(len(found)), rng.permutation(len(found))):
            left = TRIES
            for index in order:
                if left and free(grasp := found[index].grasp()):
                    left -= 1
                    lift = bench.world.execute(bench.in_world(frame.to_optical(grasp)), case.element.object_id)
                    yield found[index].features, lift.lifted


def fit(features: np.ndarray, lifted: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression with a ridge, by Newton's method."""
    weights = np.zeros(features.shape[1])
    ridge = PENALTY * np.r_[0.0, np.ones(len(weights) - 1)]
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (lifted - chance) - ridge * weights
        curve = (features.T * (chance * (1 - chance))) @ features + np.diag(ridge)
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def main() -> None:
    """Try, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=150, help="how many (%(default)s)")
    options = parser.parse_args()
    gripper = Gripper()
    found: list[tuple[np.ndarray, bool]] = []
    with Renderer() as renderer:
        for seed in range(FIRST_SEED, FIRST_SEED + options.scenes):
            found += tries(Bench(renderer, seed, gripper), seed, gripper)
    features, lifted = np.array([each[0] for each in found]), np.array([float(each[1]) for each in found])
    print(f"{len(lifted)} tries, {lifted.mean():.3f} lifted")
    for name, weight in zip(WEIGHTS, fit(features, lifted), strict=True):
        print(f'    "{name}": {weight:.2f},')


if __name__ == "__main__":
    main()
