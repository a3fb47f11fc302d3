"""Read the checkpoint that the authors of MIRAS save after merging their adapter.

The folder holds config.json, the tokenizer and the weights, in shards or whole, safetensors or PyTorch's. CLIP's number
of heads stands in none of them: it is read from the folder that config.json names, or from --clip, else each head is
taken to have 64 channels, as in every published CLIP. The authors' merging script leaves ConvNeXt out; --convnext
brings it back. That code resizes ConvNeXt's stages to 48x48 cells whatever CLIP's grid; where that was changed, say so
with --set convnext.grid_size=N.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.commands.converting import add_common_arguments, check_base, convert


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the authors' checkpoint")
    parser.add_argument("--clip", type=Path, metavar="DIR", help="CLIP in transformers' format, in place of its own")
    parser.add_argument(
        "--convnext", type=Path, metavar="DIR|FILE", help="ConvNeXt in open_clip's format, in place of its own"
    )
    add_common_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Import.

    Raises:
        BadInputError: Neither --out nor --check is given.
        CheckpointError: The checkpoint cannot be read or is not whole.
        ConfigError: A value of the configuration is wrong.
    """
    check_base(options)
    from pixelrs_ros.convert.reference import ReferenceParts, import_reference

    parts = ReferenceParts(options.folder, options.clip, options.convnext)
    convert(options, lambda base, settings: import_reference(parts, base, settings))
