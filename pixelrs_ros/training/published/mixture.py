"""Examples of several data sets, mixed by rates; without epochs, and the same for the same seed and number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from pixelrs_ros.data.coco import CocoSource, ReferringSource
from pixelrs_ros.data.conversations import ConversationSource, DialogueSource
from pixelrs_ros.data.examples import Example, Source
from pixelrs_ros.data.label_maps import LabelMapSource
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.training import config as configs

_OPENERS: dict[type, Callable[[Any], Source]] = {
    configs.PristData: lambda c: DialogueSource(open_data(Path(c.folder), "prist"), c.split),
    configs.FolderData: lambda c: DialogueSource(
        open_data(Path(c.folder), c.format, Path(c.images) if c.images else None), c.split
    ),
    configs.ConversationData: lambda c: ConversationSource(Path(c.annotations), Path(c.images)),
    configs.CocoData: lambda c: CocoSource(Path(c.annotations), Path(c.images), c.max_regions),
    configs.ReferringData: lambda c: ReferringSource(
        Path(c.refs), Path(c.instances), Path(c.images), c.split, c.max_regions
    ),
    configs.LabelMapData: lambda c: LabelMapSource(
        Path(c.images), Path(c.label_maps), Path(c.names), c.first_value, c.max_regions
    ),
}


def open_source(config: Any) -> Source:
    """The data set that one entry of `SourcesConfig` describes.

    Raises:
        DataError: A file is missing or malformed.
    """
    return _OPENERS[type(config)](config)


class Mixture(Dataset[Example]):
    """Example number n comes from a random source, and is a random one of it; both follow from the seed and n."""

    def __init__(self, sources: Mapping[str, Source], rates: Mapping[str, float], seed: tuple[int, ...]) -> None:
        self.sources = [sources[name] for name in rates]
        weights = np.array(list(rates.values()), dtype=np.float64)
        self.probabilities = weights / weights.sum()
        self.seed = seed

    def __getitem__(self, number: int) -> Example:
        rng = np.random.default_rng([*self.seed, number])
        return self.sources[int(rng.choice(len(self.sources), p=self.probabilities))].draw(rng)
