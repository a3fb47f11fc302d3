"""What costs nothing: the largest object, and one drawn by lot. Whatever understands anything beats both."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Baseline = Callable[[Mapping[str, np.ndarray], np.random.Generator], str]


def largest_object(masks: Mapping[str, np.ndarray], rng: np.random.Generator) -> str:
    """The label of the mask with the most pixels; the first of equals."""
    return max(sorted(masks), key=lambda label: int(np.count_nonzero(masks[label])))


def random_object(masks: Mapping[str, np.ndarray], rng: np.random.Generator) -> str:
    """A label drawn evenly."""
    return sorted(masks)[int(rng.integers(len(masks)))]


BASELINES: dict[str, Baseline] = {"largest object": largest_object, "random object": random_object}
