"""Options that the commands which ask a language model have in common."""

from __future__ import annotations

import argparse

from pixelrs_ros.commands.numbers import not_negative_number, positive, positive_number


def add_endpoint_options(group: argparse._ArgumentGroup, temperature: float) -> None:
    """Declare where the model is and how it is asked.

    Args:
        group: Of the command's options.
        temperature: Default.
    """
    group.add_argument("--endpoint", metavar="URL", help="such as http://localhost:8000/v1; OPENAI_API_KEY is its key")
    group.add_argument(
        "--temperature", type=not_negative_number, default=temperature, metavar="T",
        help=f"0: the likeliest words (default: {temperature:g})",
    )  # fmt: skip
    group.add_argument(
        "--max-tokens", type=positive, default=1024, metavar="N",
        help="of an answer, with its thoughts (default: 1024)",
    )  # fmt: skip
    group.add_argument(
        "--timeout-s", type=positive_number, default=120.0, metavar="S", help="for an answer (default: 120)"
    )
    group.add_argument("--at-once", type=positive, default=4, metavar="N", help="questions under way (default: 4)")
