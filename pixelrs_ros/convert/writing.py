"""A safetensors file, written tensor by tensor, so that a large network never lies in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from pixelrs_ros.convert.files import DTYPE_NAMES
from pixelrs_ros.errors import CheckpointError


@dataclass(frozen=True)
class Entry:
    """One tensor to write.

    Attributes:
        shape: Its shape.
        dtype: Its dtype.
        make: Gives it, called once.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    make: Callable[[], torch.Tensor]

    @property
    def num_bytes(self) -> int:
        """In the file."""
        return torch.Size(self.shape).numel() * self.dtype.itemsize


def write_safetensors(path: Path, entries: Mapping[str, Entry]) -> None:
    """Write the file, complete or not at all; at no time is more than one tensor in memory.

    Args:
        path: The file's path.
        entries: By name.

    Raises:
        CheckpointError: The file cannot be written, or a tensor holds NaN or infinity.
    """
    # The largest numbers first, so that each tensor begins where a reader may map it.
    ordered = sorted(entries.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, entry in ordered:
        begin, end = end, end + entry.num_bytes
        header[name] = {"dtype": DTYPE_NAMES[entry.dtype], "shape": entry.shape, "data_offsets": (begin, end)}
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(len(encoded).to_bytes(8, "little") + encoded)
            for name, entry in ordered:
                tensor = entry.make().to(entry.dtype).contiguous()
                if not torch.isfinite(tensor).all():
                    raise CheckpointError(
                        f"{name} holds what is no finite number in {str(entry.dtype).removeprefix('torch.')}; remedy: "
                        "fetch its file again, or another --dtype"
                    )
                file.write(tensor.reshape(-1).view(torch.uint8).numpy().data)
        temporary.replace(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
