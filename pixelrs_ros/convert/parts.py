"""Parts of MIRAS in the files of others, and whether they make a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelrs_ros.checkpoint import listed, misfit
from pixelrs_ros.convert.files import Stored, open_weights
from pixelrs_ros.convert.names import Names, recognize
from pixelrs_ros.errors import CheckpointError


@dataclass(frozen=True)
class Part:
    """What one file or folder holds.

    Attributes:
        path: The file or folder.
        names: Its format.
        tensors: By our names.
        unused: Their names of what MIRAS has no use for.
        left_over: Their names of what the format does not know.
    """

    path: Path
    names: Names
    tensors: dict[str, Stored]
    unused: tuple[str, ...]
    left_over: tuple[str, ...]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """By our names."""
        return {name: tensor.shape for name, tensor in self.tensors.items()}

    def has(self, prefix: str) -> bool:
        """Whether it holds a tensor whose name, among ours, begins so."""
        return any(name.startswith(prefix) for name in self.tensors)


def read_part(path: Path, formats: Sequence[Names], option: str) -> Part:
    """Open a file or folder and recognize its format.

    Args:
        path: A weight file or a folder that holds one.
        formats: To choose from.
        option: The command-line option, for messages.

    Raises:
        CheckpointError: It cannot be read, or its tensors are named as in none of the formats.
    """
    stored = open_weights(path)
    names = recognize(formats, stored)
    if names is None:
        known = "; ".join(dict.fromkeys(f"{name.title} ({name.sign}…)" for name in formats))
        found = listed(sorted(stored), 12) or "nothing at all"
        raise CheckpointError(f"{option} {path} is none of: {known}; its tensors are named {found}")
    tensors: dict[str, Stored] = {}
    unused: list[str] = []
    left_over: list[str] = []
    for theirs, tensor in stored.items():
        ours = None if names.is_unused(theirs) else names.ours(theirs)
        if ours is not None:
            tensors[ours] = tensor
        else:
            (unused if names.is_unused(theirs) else left_over).append(theirs)
    return Part(path, names, tensors, tuple(unused), tuple(left_over))


def take(
    sources: Mapping[str, Part],
    expected: Mapping[str, tuple[int, ...]],
    aliases: Mapping[str, str],
    tables: Iterable[str],
) -> dict[str, Stored]:
    """The tensor of each expected name.

    Args:
        sources: Which part each prefix comes from; a prefix without a source is not taken.
        expected: Shapes, by our names.
        aliases: Names that are left out, since they are the same tensor as another.
        tables: Names of which fewer rows suffice, the same for all, as rows are added for new tokens.

    Raises:
        CheckpointError: Something is missing, left over or of the wrong shape; the message lists it for every part.
    """
    taken: dict[str, Stored] = {}
    complaints: list[str] = []
    for part in {id(part): part for part in sources.values()}.values():
        prefixes = tuple(prefix for prefix, source in sources.items() if source is part)
        wanted = {name: shape for name, shape in expected.items() if name.startswith(prefixes)}
        here = {name: tensor for name, tensor in part.tensors.items() if name.startswith(prefixes)}
        for alias in wanted.keys() & aliases.keys():  # a tied table is written once, whatever its file calls it
            del wanted[alias]
            if alias in here:
                here.setdefault(aliases[alias], here.pop(alias))
        complaint = _complaint(part, here, wanted, set(tables))
        if complaint:
            complaints.append(complaint)
        taken.update(here)
    if complaints:
        raise CheckpointError("\n".join(complaints))
    return taken


def _complaint(
    part: Part, here: Mapping[str, Stored], wanted: Mapping[str, tuple[int, ...]], tables: set[str]
) -> str | None:
    rows = max((here[name].shape[0] for name in here.keys() & tables if here[name].shape), default=0)

    def fits(name: str) -> bool:
        found, shape = here[name].shape, wanted[name]
        return found == ((rows, *shape[1:]) if name in tables and rows <= shape[0] else shape)

    integers = sorted(here[name].name for name in here if not here[name].dtype.is_floating_point)
    if integers:
        return f"{part.path}: {listed(integers, 8)} hold integers; remedy: weights that are not quantized"

    said = misfit(
        missing=(part.names.theirs(name) or name for name in wanted.keys() - here.keys()),
        left_over=(*part.left_over, *(here[name].name for name in here.keys() - wanted.keys())),
        wrong_shape=(
            f"{here[name].name} {here[name].shape} instead of {wanted[name]}"
            for name in here.keys() & wanted.keys()
            if not fits(name)
        ),
    )
    return f"{part.path}, read as {part.names.title}, does not fit; {said}" if said else None
