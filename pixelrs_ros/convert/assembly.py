"""Parts, sizes and words made one checkpoint folder."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pixelrs_ros.checkpoint import INDEX, TOKENIZER, WEIGHTS, write_config
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.convert.files import Stored
from pixelrs_ros.convert.parts import Part, take
from pixelrs_ros.convert.words import Words
from pixelrs_ros.convert.writing import Entry, write_safetensors
from pixelrs_ros.errors import CheckpointError, OutputError
from pixelrs_ros.files import make_folder, write_file
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras

# What may begin untrained: it joins the parts, and no published model has the whole of it.
FRESH = ("fusion.", "projector.", "segmentation_prompt.")


@dataclass(frozen=True)
class Assembly:
    """A checkpoint that only needs to be written.

    Attributes:
        config: Every size.
        words: The tokenizer.
        sources: Which part each prefix of our names comes from; the prefixes of `FRESH` may be absent.
        taken: What is read from the parts, by our names.
        fresh: What begins untrained, by our names.
        tables: Names of the language model's embedding table and head, a row for each token.
        notes: What the user should know of how the parts were read.
    """

    config: MirasConfig
    words: Words
    sources: Mapping[str, Part]
    taken: dict[str, Stored]
    fresh: dict[str, torch.Tensor]
    tables: frozenset[str]
    notes: tuple[str, ...] = ()


def assemble(config: MirasConfig, words: Words, sources: Mapping[str, Part], seed: int) -> Assembly:
    """Check that the parts make a whole.

    Args:
        config: Every size.
        words: The tokenizer.
        sources: Which part each prefix of our names comes from; what has none begins untrained.
        seed: Seeds what begins untrained.

    Raises:
        CheckpointError: Something is missing, left over or of the wrong shape; the message lists all of it.
        ConfigError: The sizes contradict each other.
    """
    arguments = {**config.language.arguments, "vocab_size": words.num_rows}
    config = dataclasses.replace(config, language=dataclasses.replace(config.language, arguments=arguments))
    miras = build_miras(config, words.num_rows, empty=True)
    state = miras.state_dict(keep_vars=True)
    expected = {name: tuple(value.shape) for name, value in state.items()}
    first: dict[int, str] = {}
    aliases = {name: first[id(value)] for name, value in state.items() if first.setdefault(id(value), name) != name}
    tables = _tables(miras)
    taken = take(sources, expected, aliases, tables)
    return Assembly(config, words, sources, taken, _untrained(miras, expected.keys() - taken.keys(), seed), tables)


def _tables(miras: Miras) -> frozenset[str]:
    language = miras.language
    ends = (language.get_input_embeddings(), language.get_output_embeddings())
    owners = {id(parameter) for end in ends if end is not None for parameter in end.parameters()}
    state = miras.state_dict(keep_vars=True)
    return frozenset(name for name, value in state.items() if id(value) in owners)


def _untrained(miras: Miras, names: set[str], seed: int) -> dict[str, torch.Tensor]:
    """The parts without a source, with torch's own initial weights, and a fusion that adds nothing yet."""
    fresh: dict[str, torch.Tensor] = {}
    torch.manual_seed(seed)
    for prefix in FRESH:
        if not any(name.startswith(prefix) for name in names):
            continue
        part = miras.get_submodule(prefix.removesuffix(".")).to_empty(device="cpu")
        for module in part.modules():
            if isinstance(module, (nn.Linear, nn.LayerNorm)):
                module.reset_parameters()
        if prefix == "fusion.":
            # A pretrained projector knows CLIP's bare tokens; from zero the fusion departs as far as training takes it.
            for parameter in part.get_submodule("value_projector.1").parameters():
                nn.init.zeros_(parameter)
        fresh.update({f"{prefix}{name}": value.detach() for name, value in part.state_dict().items()})
    return fresh


def write(assembly: Assembly, folder: Path, dtype: torch.dtype | None) -> None:
    """Write the checkpoint folder.

    Args:
        assembly: What to write.
        folder: Made where it does not exist.
        dtype: The weights are written in it; None keeps that of each file.

    Raises:
        CheckpointError: The folder is a part's own, a tensor cannot be read, the disk is too small or the folder cannot
            be written.
    """
    for part in assembly.sources.values():
        if folder.resolve() == (part.path if part.path.is_dir() else part.path.parent).resolve():
            raise CheckpointError(f"{folder} is where a part lies, and would be written over; remedy: another --out")
    entries = {name: _entry(assembly, name, stored, dtype) for name, stored in assembly.taken.items()}
    for name, value in assembly.fresh.items():
        entries[name] = Entry(tuple(value.shape), dtype or value.dtype, functools.partial(torch.Tensor.clone, value))
    try:
        make_folder(folder)
        needed, free = sum(entry.num_bytes for entry in entries.values()), shutil.disk_usage(folder).free
        if needed > free:
            raise CheckpointError(f"{folder} has {free / 1e9:.1f} GB free, the weights need {needed / 1e9:.1f} GB")
        write_safetensors(folder / WEIGHTS, entries)
        write_file(folder / TOKENIZER, assembly.words.tokenizer.to_str(pretty=True))
        write_config(folder, assembly.config)
        (folder / INDEX).unlink(missing_ok=True)  # of a checkpoint in shards that was there before
    except OutputError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error}") from error


def _entry(assembly: Assembly, name: str, stored: Stored, dtype: torch.dtype | None) -> Entry:
    kept = stored.dtype if dtype is None or not stored.dtype.is_floating_point else dtype
    if name not in assembly.tables:
        return Entry(stored.shape, kept, stored.read)
    words = assembly.words
    return Entry((words.num_rows, *stored.shape[1:]), kept, lambda: extend(stored.read(), words))


def extend(table: torch.Tensor, words: Words) -> torch.Tensor:
    """Give every added token the mean of the words that the language model was trained with.

    Such a row never has the greatest logit, so a trained model never says a token that it does not know.

    Args:
        table: (R, …) embedding table, head or its bias.
        words: Which rows are new.

    Returns:
        (words.num_rows, …), of the table's dtype.
    """
    known = table[: words.num_own]
    mean = known.mean(dim=0, dtype=torch.float32).to(table.dtype)
    extended = torch.cat([table, mean.expand(words.num_rows - len(table), *table.shape[1:])])
    extended[torch.tensor(words.added, dtype=torch.long)] = mean
    return extended
