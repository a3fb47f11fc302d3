"""Hold a dialogue about one picture file; write its masks.

Each --say is one turn. Prints the answers with their grounded phrases and the network's own estimate of how well each
mask fits (0 to 1), says where the picture is unlike those that the network was trained on, and writes
turn_<n>_overlay.png and, where something was segmented, turn_<n>_mask.png (0 and 255) to --out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.commands.numbers import positive

if TYPE_CHECKING:
    import numpy as np
    from rich.text import Text

    from pixelrs_ros.engine.session import Session
    from pixelrs_ros.types import Point, Reply


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("image", type=Path, metavar="IMAGE", help="picture file that OpenCV reads: PNG, JPEG, …")
    parser.add_argument(
        "--say", action="append", required=True, metavar="TEXT", help="an instruction; repeat it for turns"
    )
    parser.add_argument(
        "--point", type=float, nargs=2, metavar=("X", "Y"), help="where you point with the last --say, px from top left"
    )
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    parser.add_argument("--out", type=Path, default=Path("out/segment"), metavar="DIR", help="default: out/segment")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads (default: half of the CPUs)")


def run(options: argparse.Namespace) -> None:
    """Play the turns.

    Raises:
        BadInputError: The file is missing or no picture, or an instruction cannot be used; earlier turns stay written.
        AnswerError: The network's answer makes no sense; likewise.
        OutputError: A picture cannot be written.
        CheckpointError: The checkpoint cannot be loaded.
    """
    from rich.console import Console

    from pixelrs_ros.files import require_writable_folder
    from pixelrs_ros.pictures import read_picture
    from pixelrs_ros.shipped import resolve
    from pixelrs_ros.types import Frame, Utterance, unlikely

    resolve(options.checkpoint)  # a wrong name is told before torch is loaded, which takes seconds
    frame = Frame(read_picture(options.image))
    require_writable_folder(options.out)
    session = open_session(options.checkpoint, options.device, options.threads)
    console = Console(highlight=False)
    for number, text in enumerate(options.say, start=1):
        point = tuple(options.point) if options.point and number == len(options.say) else None
        reply = session.say(Utterance(text, point=point), frame)
        written = write_turn(options.out, number, frame.image, reply, point)
        console.print(f"{number} > {text}", style="bold", markup=False)
        console.print(colored(reply))
        scores = ", ".join(f"{segment.score:.2f}" for segment in reply.segments)
        told = (
            f"{reply.status.value}{', score ' if scores else ''}{scores}, {reply.latency_ms.get('total', 0.0):.0f} ms"
        )
        told += f": {', '.join(map(str, written))}"
        console.print(told, style="dim", markup=False, soft_wrap=True)
        if reply.is_unlikely:
            console.print(f"warning: {unlikely(reply)}", style="yellow", soft_wrap=True)


def open_session(checkpoint: str, device: str, threads: int | None) -> Session:
    """A dialogue with a freshly loaded network.

    Raises:
        CheckpointError: It cannot be loaded.
    """
    from pixelrs_ros.engine.opening import open_answerer
    from pixelrs_ros.engine.session import Session

    return Session(open_answerer(checkpoint, device, threads))


def colored(reply: Reply) -> Text:
    """The explanation with each grounded phrase in the color of its mask."""
    from rich.text import Text

    from pixelrs_ros.overlay import color_of

    text = Text(reply.text)
    for phrase in reply.phrases:
        red, green, blue = color_of(phrase.segment)
        text.stylize(f"bold rgb({red},{green},{blue})", phrase.start, phrase.end)
    return text


def write_turn(folder: Path, number: int, image: np.ndarray, reply: Reply, point: Point | None = None) -> list[Path]:
    """Write one turn's overlay and, where it has masks, their union.

    Args:
        folder: Made if missing.
        number: The turn's number, from 1.
        image: (H, W, 3) uint8 RGB.
        reply: With masks of the image's size.
        point: Where the user pointed; None: nowhere.

    Returns:
        The files.

    Raises:
        OutputError: One of them cannot be written.
    """
    import numpy as np

    from pixelrs_ros.files import write_picture
    from pixelrs_ros.overlay import paint

    masks = [segment.mask for segment in reply.segments]
    overlay = folder / f"turn_{number}_overlay.png"
    write_picture(overlay, paint(image, masks, point=point))
    if not masks:
        return [overlay]
    union = folder / f"turn_{number}_mask.png"
    write_picture(union, np.logical_or.reduce(masks).astype(np.uint8) * 255)
    return [overlay, union]
