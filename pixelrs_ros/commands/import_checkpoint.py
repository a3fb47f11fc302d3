"""Read the checkpoint that the authors of MIRAS, LISA, LISA++, SESAME or GLaMM save whole.

Which of them it is shows in the names of its tensors and in its config.json. The folder holds config.json, the
tokenizer (tokenizer.json, or tokenizer.model and added_tokens.json) and the weights, in shards or whole, safetensors or
PyTorch's. What the authors' merging scripts leave out is given beside it, CLIP by --clip and MIRAS's ConvNeXt by
--convnext:

  pixelrs import-checkpoint LISA-7B-v1 --clip clip-vit-large-patch14 --out checkpoints/lisa-7b
  pixelrs import-checkpoint miras --convnext convnext_large_d_320 --out checkpoints/miras

CLIP's number of heads is read from --clip or from the folder that config.json names, else each head is taken to have
64 channels, as in every published CLIP. MIRAS's ConvNeXt is shown 768 px, as its authors' inference does, where
config.json says nothing or 320; its stages are resized to 48x48 cells whatever CLIP's grid. MIRAS's training reads the
state of [SEG] as if CLIP gave 256 tokens, which is 320 positions too early at 336 px; what it trained expects that.
Each of these can be set: --set convnext.image_size_px=N, --set convnext.grid_size=N, --set seg_state_back=0.
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
        "--convnext", type=Path, metavar="DIR|FILE", help="ConvNeXt in open_clip's format, in place of MIRAS's own"
    )
    add_common_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Import.

    Raises:
        BadInputError: Neither --out nor --check is given.
        CheckpointError: The checkpoint cannot be read, is of no known family or is not whole.
        ConfigError: A value of the configuration is wrong.
    """
    check_base(options)
    from pixelrs_ros.convert.published import PublishedParts, import_published

    parts = PublishedParts(options.folder, options.clip, options.convnext)
    convert(options, lambda base, settings: import_published(parts, base, settings))
