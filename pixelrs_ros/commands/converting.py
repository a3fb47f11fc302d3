"""What `pixelrs assemble` and `pixelrs import-checkpoint` have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelrs_ros.config import MirasConfig
    from pixelrs_ros.convert.assembly import Assembly

BASE_PRESET = "miras-7b"
DTYPES = ("fp32", "fp16", "bf16")


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of both commands."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="the checkpoint folder to write")
    parser.add_argument("--check", action="store_true", help="print what would be taken from where, and write nothing")
    parser.add_argument("--dtype", choices=DTYPES, help="of the weights that are written (default: as in their files)")
    base = parser.add_mutually_exclusive_group()
    base.add_argument(
        "--preset", default=BASE_PRESET, metavar="NAME",
        help=f"tells what no weight file tells, such as the layer of CLIP to take (default: {BASE_PRESET})",
    )  # fmt: skip
    base.add_argument("--config", type=Path, metavar="FILE", help="the same, from a YAML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE",
        help="a value of the configuration, which goes before everything else; repeat it for more",
    )  # fmt: skip


def check_base(options: argparse.Namespace) -> None:
    """Tell a wrong preset before torch is loaded, which takes seconds.

    Raises:
        ConfigError: There is no such preset.
    """
    from pixelrs_ros.config import load_preset

    if options.config is None:
        load_preset(options.preset)


def convert(options: argparse.Namespace, prepare: Callable[[MirasConfig, Mapping[str, Any]], Assembly]) -> None:
    """Prepare an assembly, print it and, unless only a check is asked for, write it.

    Raises:
        BadInputError: Neither --out nor --check is given.
        CheckpointError: A part cannot be read, or the parts do not make a whole.
        ConfigError: A value of the configuration is wrong.
    """
    from pixelrs_ros.checkpoint import DTYPES as TORCH_DTYPES
    from pixelrs_ros.convert.assembly import write
    from pixelrs_ros.convert.options import base_config, read_settings
    from pixelrs_ros.errors import BadInputError

    if options.out is None and not options.check:
        raise BadInputError("--out DIR is missing; to see only what would be done, give --check")
    assembly = prepare(base_config(options.preset, options.config), read_settings(options.set))
    report(assembly)
    if options.check:
        return
    write(assembly, options.out, TORCH_DTYPES.get(options.dtype))
    print(f"wrote {options.out}; next: pixelrs info --checkpoint {options.out}")


def report(assembly: Assembly) -> None:
    """Print what comes from where."""
    from pixelrs_ros.checkpoint import listed

    for prefix, part in assembly.sources.items():
        count = sum(name.startswith(prefix) for name in assembly.taken)
        print(f"{prefix.rstrip('.')}: {count} tensors from {part.path} ({part.names.title})")
    for prefix in dict.fromkeys(name.split(".")[0] for name in assembly.fresh):
        print(f"{prefix}: no part given has it, begins untrained")
    words = assembly.words
    added = [str(words.tokenizer.id_to_token(index)) for index in words.added]
    print(f"tokens added, with the mean row of the others: {' '.join(added) or 'none'}")
    for part in {id(part): part for part in assembly.sources.values()}.values():
        if part.unused:
            print(f"{part.path}: {len(part.unused)} tensors are of no use here: {listed(part.unused, 12)}")
    for note in assembly.notes:
        print(note)
