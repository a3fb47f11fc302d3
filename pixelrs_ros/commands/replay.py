"""Say a recording to a perception node again: as it was, or turn by turn with a comparison.

Without --check images and instructions are published as far apart as they were recorded, with stamps of now. With
--check each turn's image is shown until the node has it, its words are said, and the answer is compared with the
recorded one, however fast or slow the node is; the exit status is 1 when a mask, a word or a status differs. No other
camera may publish meanwhile.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.commands.numbers import positive_number
from pixelrs_ros.errors import PixelrsError

if TYPE_CHECKING:
    from pixelrs_ros.ros.recording.player import Compared, Player


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", type=Path, metavar="BAG", help="folder of the recording, or an .mcap or .db3 file")
    parser.add_argument("--check", action="store_true", help="turn by turn, and compare the answers")
    parser.add_argument(
        "--rate", type=positive_number, default=1.0, metavar="X", help="so many times as fast (default: 1)"
    )
    parser.add_argument("--namespace", metavar="NS", help="of the robot, where several were recorded")
    parser.add_argument(
        "--to", metavar="NS", help="namespace of the node that is played to (default: all topics as recorded)"
    )
    parser.add_argument("--perception", default="perception", metavar="NAME", help="of the node (default: perception)")
    parser.add_argument("--image", metavar="TOPIC", help="of the recorded images (default: as recorded, else NS/image)")
    parser.add_argument(
        "--timeout",
        type=positive_number,
        default=60.0,
        metavar="S",
        help="for the node, and for each answer (default: 60)",
    )


def run(options: argparse.Namespace) -> None:
    """Play it.

    Raises:
        DataError: The recording cannot be used.
        PixelrsError: The node is not there or does not answer, or an answer differs from the recorded one.
    """
    from pixelrs_ros.data.bags import Bag
    from pixelrs_ros.ros.recording.player import Player
    from pixelrs_ros.ros.wire.ros_context import ros

    with Bag(options.bag) as bag:
        robot = bag.robot(options.namespace, options.image)
        with ros([]):
            player = Player(bag, robot, options.to, options.perception)
            try:
                if options.check:
                    _check(player, options.timeout)
                else:
                    print(f"{player.play(options.rate, options.timeout)} messages played")
            finally:
                player.close()


def _check(player: Player, timeout_s: float) -> None:
    compared: list[bool] = []

    def tell(turn: Compared) -> None:
        compared.append(turn.same)
        said = f"{turn.recorded.session_id} {turn.recorded.turn.index}: {turn.recorded.turn.text!r}"
        if turn.same:
            print(f"same     {said}", flush=True)
            return
        masks = "the same masks" if turn.same_masks else "other masks"
        score = "" if turn.iou is None else f", IoU {turn.iou:.4f}"
        print(f"differs  {said}: {masks}{score}", flush=True)
        print(f"         then: {turn.recorded.turn.status.value}, {turn.recorded.text!r}")
        print(f"         now:  {turn.answer.status.value}, {turn.answer.text!r}", flush=True)

    for reason, count in player.compare(timeout_s, tell).items():
        print(f"not compared: {count} turns: {reason}")
    print(f"{sum(compared)} of {len(compared)} turns are the same")
    if not compared:
        raise PixelrsError("no turn could be compared")
    if not all(compared):
        raise PixelrsError(f"{len(compared) - sum(compared)} of {len(compared)} turns differ")
