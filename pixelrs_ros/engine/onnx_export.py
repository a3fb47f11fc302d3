"""Write the image encoders, the prompt and the mask decoder as ONNX graphs, and check each against torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from pixelrs_ros.checkpoint import load_checkpoint, read_sizes, resolve
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.backends import MANIFEST, fingerprint
from pixelrs_ros.errors import ExportError, OutputError
from pixelrs_ros.files import require_writable_folder, write_json
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.model.onnx_parts import OnnxModule, Part, open_session, parts_of

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Exported:
    """One graph.

    Attributes:
        path: The module's place in the network.
        file: Its name in the folder.
        max_abs_difference: Largest difference of its outputs from torch's.
        max_abs: Largest absolute value of torch's outputs.
    """

    path: str
    file: str
    max_abs_difference: float
    max_abs: float


def export_onnx(checkpoint: str | Path, folder: Path, tolerance: float) -> Iterator[Exported]:
    """Write every part, one after another, and a manifest when all are done.

    Args:
        checkpoint: Folder, or the name of one that ships with the package.
        folder: Made where it is missing.
        tolerance: Largest difference from torch that is accepted, as a fraction of the largest output.

    Yields:
        Each graph that was written and checked.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        ExportError: A library for exporting is missing, or a graph differs by more than the tolerance; it is removed.
        OutputError: The folder cannot be written.
    """
    read_sizes(checkpoint)  # what cannot be exported gets no folder
    require_writable_folder(folder)
    miras, config, _ = load_checkpoint(checkpoint)
    (folder / MANIFEST).unlink(missing_ok=True)  # graphs of two checkpoints must not pass for one export
    done = []
    for part in parts_of(miras):
        done.append(_export(part, miras, config, folder, tolerance))
        yield done[-1]
    manifest = {"checkpoint": fingerprint(resolve(checkpoint)), "parts": [asdict(part) for part in done]}
    write_json(folder / MANIFEST, manifest)


def example_inputs(part: Part, miras: Miras, config: MirasConfig) -> tuple[torch.Tensor, ...]:
    """Random inputs of a part, of batch size 1, the same each time; the position encoding is the real one."""
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    def picture(side_px: int) -> tuple[torch.Tensor]:
        return (noise(1, 3, side_px, side_px),)

    sam = config.sam
    if part.path == "clip":
        return picture(config.clip.image_size_px)
    if part.path == "convnext" and config.convnext is not None:
        return picture(config.convnext.image_size_px)
    if part.path == "sam.image_encoder":
        return picture(sam.image_size_px)
    if part.path == "segmentation_prompt":
        return (noise(1, miras.language.config.hidden_size),)
    dense = miras.sam.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
    embedding = noise(1, sam.prompt_dim, sam.grid_size, sam.grid_size)
    return embedding, miras.sam.prompt_encoder.get_dense_pe(), noise(1, 1, sam.prompt_dim), dense


class _SingleMask(nn.Module):
    """The mask decoder with positional arguments only, as a graph has them."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, image: torch.Tensor, position: torch.Tensor, sparse: torch.Tensor, dense: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return self.decoder(image, position, sparse, dense, False)


@torch.no_grad()
def _export(part: Part, miras: Miras, config: MirasConfig, folder: Path, tolerance: float) -> Exported:
    module = miras.get_submodule(part.path)
    module = _SingleMask(module) if part.path == "sam.mask_decoder" else module
    inputs = example_inputs(part, miras, config)
    file = folder / part.file_name
    _write_graph(module.eval(), inputs, part, file)
    expected = module(*inputs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    found = OnnxModule(open_session(file, _CPU, num_threads=1))(*inputs)
    found = found if isinstance(found, tuple) else (found,)
    difference = max(float((a - b).abs().max()) for a, b in zip(expected, found, strict=True))
    largest = max(float(a.abs().max()) for a in expected)
    if not difference <= tolerance * largest:  # also when it is not a number
        file.unlink()
        raise ExportError(
            f"{part.path}: the graph's output differs from torch's by {difference:.2g}, more than {tolerance:g} of the "
            f"largest value {largest:.2g}"
        )
    return Exported(part.path, part.file_name, difference, largest)


def _write_graph(module: nn.Module, inputs: tuple[torch.Tensor, ...], part: Part, file: Path) -> None:
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)  # it warns of the torchvision that is not needed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            program = torch.onnx.export(module, inputs, input_names=list(part.inputs), dynamo=True, verbose=False)
        assert program is not None
        program.save(file)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise OutputError(error.errno, error.strerror or str(error), str(file)) from error
    except ImportError as error:
        raise ExportError(f"{error}; remedy: pip install -r requirements/export.txt") from error
    finally:
        exporter.setLevel(level)
