"""Build an untrained MIRAS from public parts in local folders.

The sizes come from the parts themselves. What joins the eyes to the words comes from --mini-gemini or from a LLaVA
given as --language; what neither has, and the prompt of the mask decoder, begins untrained. Nothing is fetched from a
network. For example:

  pixelrs assemble --clip clip-vit-large-patch14-336 --convnext CLIP-convnext_large_d_320.laion2B-s29B-b131K-ft-soup
    --language llava-v1.5-7b --sam sam_vit_h_4b8939.pth --out miras-untrained
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.commands.converting import add_common_arguments, check_base, convert
from pixelrs_ros.commands.numbers import not_negative


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--clip",
        type=Path,
        required=True,
        metavar="DIR",
        help="CLIP ViT in transformers' format, whole or its vision part",
    )
    parser.add_argument(
        "--convnext",
        type=Path,
        required=True,
        metavar="DIR|FILE",
        help="ConvNeXt in open_clip's or transformers' format",
    )
    parser.add_argument(
        "--language",
        type=Path,
        required=True,
        metavar="DIR",
        help="LLaVA-1.5 or any causal language model, with tokenizer",
    )
    parser.add_argument("--sam", type=Path, required=True, metavar="FILE", help="Segment Anything's .pth")
    parser.add_argument(
        "--mini-gemini",
        type=Path,
        metavar="DIR|FILE",
        help="takes its vlm_uni_* and mm_projector, before a LLaVA's own",
    )
    parser.add_argument(
        "--seed", type=not_negative, default=0, metavar="N", help="of what begins untrained (default: 0)"
    )
    add_common_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Assemble.

    Raises:
        BadInputError: Neither --out nor --check is given.
        CheckpointError: A part cannot be read, or the parts do not make a whole.
        ConfigError: A value of the configuration is wrong.
    """
    check_base(options)
    from pixelrs_ros.convert.public import PublicParts, assemble_public

    parts = PublicParts(options.clip, options.convnext, options.language, options.sam, options.mini_gemini)
    convert(options, lambda base, settings: assemble_public(parts, base, settings, options.seed))
