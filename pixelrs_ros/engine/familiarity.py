"""How far a picture is from those that a checkpoint was trained on, so that an answer about it can say so.

A network answers whatever it is shown. What it makes of a picture, the mean and the spread of its image tokens, lies in
a small region for pictures like its training's; the distance from there, along the directions in which those pictures
differ and across them, tells others apart (a Mahalanobis distance on principal components and the residual; compare
Lee et al. 2018, https://arxiv.org/abs/1807.03888, and Ren et al. 2021, https://arxiv.org/abs/2106.09022).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from pixelrs_ros.checkpoint import FAMILIARITY
from pixelrs_ros.errors import CheckpointError, DataError
from pixelrs_ros.files import write_file

MAX_DIRECTIONS = 64
# Of pictures like the training's, this share is within the limit.
WITHIN = 0.99
_FEWEST = 32  # pictures
# A score falls with this power of how far beyond the limit the picture is: to a half at 1.19, to a sixteenth at twice.
_FALL = 4
_LEAST_DEVIATION = 1e-6
_REMEDY = "remedy: delete it, or make it anew (pixelrs familiarize)"


@dataclasses.dataclass(frozen=True)
class Familiarity:
    """What pictures a checkpoint is used to.

    Attributes:
        mean: (D,) float32 of the pictures' features, see `features`.
        deviation: (D,) float32, standard deviation of each.
        directions: (K, D) float32, orthonormal: in which the pictures differ most, features divided by `deviation`.
        variances: (K,) float32 along them.
        rest: Mean squared distance from them.
        limit: Distance within which `WITHIN` of the pictures lie that were held out.
    """

    mean: torch.Tensor
    deviation: torch.Tensor
    directions: torch.Tensor
    variances: torch.Tensor
    rest: float
    limit: float

    def novelty(self, image_tokens: torch.Tensor) -> float:
        """How far a picture is: 1 at the limit, more beyond it.

        Args:
            image_tokens: (1, P, H) float.
        """
        return self._distance(features(image_tokens)) / self.limit

    def _distance(self, values: torch.Tensor) -> float:
        standard = (values - self.mean) / self.deviation
        along = self.directions @ standard
        across = standard - along @ self.directions
        return float(((along**2 / self.variances).mean() + across.square().sum() / self.rest).sqrt())

    def save(self, folder: Path) -> None:
        """Write it beside a checkpoint's weights.

        Raises:
            OutputError: The file cannot be written.
        """
        numbers = {"rest": torch.tensor(self.rest), "limit": torch.tensor(self.limit)}
        arrays = {name: getattr(self, name).half().contiguous() for name in ("mean", "deviation", "directions")}
        write_file(folder / FAMILIARITY, save({**arrays, "variances": self.variances, **numbers}))


def features(image_tokens: torch.Tensor) -> torch.Tensor:
    """(2 H,) float32 of a picture, on the CPU: mean and standard deviation of its (1, P, H) image tokens."""
    tokens = image_tokens[0].float().cpu()
    return torch.cat([tokens.mean(0), tokens.std(0)])


def fit(seen: np.ndarray, held_out: np.ndarray) -> Familiarity:
    """Learn what pictures are like.

    Args:
        seen: (N, 2 H) float, `features` of pictures like the training's.
        held_out: (M, 2 H) float, of others of them, which tell where the limit is.

    Raises:
        DataError: There are too few pictures.
    """
    if len(seen) < _FEWEST or len(held_out) < _FEWEST:
        raise DataError(f"{len(seen)} and {len(held_out)} pictures are too few: at least {_FEWEST} of each are needed")
    values = torch.from_numpy(np.asarray(seen, np.float32))
    # As they are written, so that the limit holds for what is read back.
    mean, deviation = (stored.half().float() for stored in (values.mean(0), values.std(0).clamp(min=_LEAST_DEVIATION)))
    standard = (values - mean) / deviation
    _, spread, directions = torch.linalg.svd(standard, full_matrices=False)
    kept = min(MAX_DIRECTIONS, len(seen) // 4, values.shape[1] // 4)
    directions = directions[:kept].half().float()
    across = standard - standard @ directions.T @ directions
    found = Familiarity(
        mean, deviation, directions, spread[:kept] ** 2 / len(seen), float(across.square().sum(1).mean()), 1.0
    )
    distances = [found._distance(one) for one in torch.from_numpy(np.asarray(held_out, np.float32))]
    return dataclasses.replace(found, limit=float(np.quantile(distances, WITHIN)))


def load(folder: Path, hidden_size: int) -> Familiarity | None:
    """Read what `Familiarity.save` wrote; None where a checkpoint has none.

    Args:
        folder: The checkpoint's folder.
        hidden_size: The hidden size H of its language model.

    Raises:
        CheckpointError: The file is malformed, or of another network.
    """
    path = folder / FAMILIARITY
    if not path.is_file():
        return None
    try:
        stored = load_file(path)
        arrays = {name: stored[name].float() for name in ("mean", "deviation", "directions", "variances")}
        found = Familiarity(**arrays, rest=float(stored["rest"]), limit=float(stored["limit"]))
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}; {_REMEDY}") from error
    width, count = 2 * hidden_size, len(found.variances)
    shapes = found.mean.shape, found.deviation.shape, found.directions.shape
    if shapes != ((width,), (width,), (count, width)) or not found.limit > 0:
        raise CheckpointError(f"{path} is of another network: {found.mean.numel()} features, not {width}; {_REMEDY}")
    return found


def lowered(score: float, novelty: float) -> float:
    """A mask's score in [0, 1] for a picture that is so novel: the same within the limit, less beyond it."""
    return score / max(1.0, novelty) ** _FALL
