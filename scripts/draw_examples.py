#!/usr/bin/env python3
"""Draw the documentation's pictures: one dialogue turn by turn, an evaluation's first failures, a split's pictures.

All choose by a fixed rule. The strip is the split's first dialogue of three or more turns in which the robot must
ask back, which ends on a part, and whose last mask is right. The failures are the first of the evaluation's records,
the pictures the first of the split.

    scripts/env.sh python scripts/draw_examples.py --strip --split test_stranger
    scripts/env.sh python -m pixelrs_ros.cli evaluate --data data/tabletop --json out/evaluation.json
    scripts/env.sh python scripts/draw_examples.py --failures 6 --records out/evaluation.json
    scripts/env.sh python scripts/draw_examples.py --pictures 12 --split train
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from pixelrs_ros.commands.numbers import positive
from pixelrs_ros.data import prist
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.errors import DataError, PixelrsError
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.evaluation.play import HEADLINE, play
from pixelrs_ros.evaluation.samples import Sample, Samples
from pixelrs_ros.overlay import Color, color_of, paint
from pixelrs_ros.types import GroundedPhrase, Reply, Status

PAGE_WIDTH_PX = 1200
MAX_HEIGHT_PX = 20_000
MARGIN_PX = 12
FONT_PX = 15
LINE_PX = 21
SPACE_PX = 5
STRIP_MIN_TURNS = 3
FAILURE_MAX_IOU = 0.3
FAILURE_COLUMNS = 2
PICTURE_COLUMNS = 4

INK: Color = (32, 36, 42)
QUIET: Color = (96, 104, 114)
TRUTH: Color = (0, 200, 60)  # the outline of what is right
TRUTH_INK: Color = (0, 120, 50)  # the same in text, dark enough to read on white


@dataclass(frozen=True)
class Piece:
    """Words that look alike; `mark` is the color of the mask that they belong to."""

    text: str
    color: Color = INK
    bold: bool = False
    mark: Color | None = None


@dataclass(frozen=True, eq=False)
class Example:
    """One dialogue as the network answered it.

    Attributes:
        sample: The dialogue.
        image: (H, W, 3) uint8 RGB.
        truth: (H, W) bool, the target.
        replies: One a turn.
        should: What the last answer should have been, in words.
        referent_right: Whether the last answer's words name the target.
    """

    sample: Sample
    image: np.ndarray
    truth: np.ndarray
    replies: tuple[Reply, ...]
    should: str
    referent_right: bool

    @property
    def iou(self) -> float:
        """Of the last answer's masks with the target."""
        return iou(self.replies[-1].union_mask(*self.truth.shape), self.truth)


class Page:
    """A white picture, drawn on in px from its top left corner and cut off below the lowest thing drawn."""

    def __init__(self) -> None:
        # At 72 dots per inch a point is a pixel.
        self._figure = Figure(figsize=(PAGE_WIDTH_PX / 72, MAX_HEIGHT_PX / 72), dpi=72, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        self._renderer = self._canvas.get_renderer()
        self._bottom_px = 0.0

    def picture(self, image: np.ndarray, x_px: int, y_px: int, width_px: int) -> int:
        """Put an (H, W, 3) uint8 RGB image down, scaled to a width; returns the y below it."""
        height_px = round(width_px * image.shape[0] / image.shape[1])
        scaled = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)
        self._figure.figimage(scaled, xo=x_px, yo=MAX_HEIGHT_PX - y_px - height_px, origin="upper")
        return self._reach(y_px + height_px)

    def words(self, pieces: Sequence[Piece], x_px: int, y_px: int, width_px: int) -> int:
        """Write a paragraph, broken into lines of a width; returns the y below it."""
        right_px, top_px, glued = float(x_px), y_px, True
        for piece in pieces:
            font = FontProperties(family="DejaVu Sans", size=FONT_PX, weight="bold" if piece.bold else "normal")
            words = piece.text.split()
            glued = glued and not piece.text[:1].isspace()  # a comma after a phrase stays with it
            for index, word in enumerate(words):
                word_px, _, _ = self._renderer.get_text_width_height_descent(word, font, False)
                if not glued:
                    right_px += SPACE_PX
                    if right_px + word_px > x_px + width_px:
                        right_px, top_px = float(x_px), top_px + LINE_PX
                within = index + 1 < len(words)
                self._word(word, piece, font, right_px, top_px, word_px + (SPACE_PX if within else 0))
                right_px += word_px
                glued = not within and not piece.text[-1:].isspace()
        return self._reach(top_px + LINE_PX)

    def save(self, path: Path) -> None:
        """Write the picture as PNG."""
        self._canvas.draw()
        height_px = min(MAX_HEIGHT_PX, round(self._bottom_px) + MARGIN_PX)
        rgb = np.asarray(self._canvas.buffer_rgba())[:height_px, :, :3]
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))

    def _word(self, word: str, piece: Piece, font: FontProperties, x_px: float, y_px: int, width_px: float) -> None:
        baseline_px = MAX_HEIGHT_PX - y_px - 0.75 * LINE_PX
        if piece.mark is not None:  # as in the demo's report: tinted, and underlined in the mask's own color
            low_px, color = baseline_px - 4, _unit(piece.mark)
            tint = Rectangle((x_px, low_px), width_px, FONT_PX + 3, color=color, alpha=0.32, lw=0)
            line = Line2D([x_px, x_px + width_px], [low_px, low_px], color=color, lw=3, solid_capstyle="butt")
            for artist in (tint, line):
                artist.set_transform(None)
                self._figure.add_artist(artist)
        text = self._figure.text(0, 0, word, fontproperties=font, color=_unit(piece.color), parse_math=False)
        text.set_transform(None)
        text.set_position((x_px, baseline_px))

    def _reach(self, y_px: int) -> int:
        self._bottom_px = max(self._bottom_px, y_px)
        return y_px


def _unit(color: Color) -> tuple[float, float, float]:
    red, green, blue = color
    return red / 255, green / 255, blue / 255


def marked(text: str, phrases: Sequence[GroundedPhrase], color: Color = INK) -> list[Piece]:
    """An explanation with each grounded phrase marked in the color of its mask."""
    pieces, position = [], 0
    for phrase in sorted(phrases, key=lambda phrase: phrase.start):
        pieces.append(Piece(text[position : phrase.start], color))
        pieces.append(Piece(text[phrase.start : phrase.end], color, mark=color_of(phrase.segment)))
        position = phrase.end
    return [*pieces, Piece(text[position:], color)]


def overlay(example: Example, reply: Reply, *, truth: bool = False) -> np.ndarray:
    """(H, W, 3) uint8 RGB: the image with a reply's masks and, if asked for, the target's outline."""
    painted = paint(example.image, [segment.mask for segment in reply.segments])
    if truth:
        outlines, _ = cv2.findContours(example.truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(painted, outlines, -1, TRUTH, thickness=3)
    return painted


def answered(engine: Engine, samples: Samples, sample: Sample) -> Example:
    """Play a dialogue with the network's own answers as history."""
    image, masks = samples.read(sample.img_id)
    replies = play(engine, engine.encode(image), sample.exchanges, HEADLINE).replies
    phrases = tuple(segment.phrase for segment in replies[-1].segments)
    right = bool(samples.judge(sample, phrases).referent_right)
    layout = engine.layout
    # There and back through the tokens: spaced as the network writes it.
    should = layout.parse(layout.decode_answer(layout.answer(sample.exchanges[-1].answer))).text
    nothing = np.zeros(image.shape[:2], dtype=bool)
    truth = np.logical_or.reduce([nothing, *(masks[key] for key in sample.keys)])
    return Example(sample, image, truth, replies, should, right)


def draw_strip(engine: Engine, samples: Samples, min_iou: float) -> Page:
    """The first fitting dialogue, one column a turn: what the user said, what was pointed at, what was answered.

    Raises:
        DataError: No dialogue fits.
    """
    fitting = (
        sample
        for sample in samples.all
        if len(sample.exchanges) >= STRIP_MIN_TURNS
        and sample.is_part
        and any(exchange.status is Status.CLARIFY for exchange in sample.exchanges)
    )
    examples = (answered(engine, samples, sample) for sample in fitting)
    example = next((example for example in examples if example.iou >= min_iou), None)
    if example is None:
        raise DataError(f"no dialogue of {samples.folder} fits and ends with an IoU of {min_iou:g} or more")
    page = Page()
    count = len(example.replies)
    width_px = (PAGE_WIDTH_PX - MARGIN_PX * (count + 1)) // count
    columns = [MARGIN_PX + index * (width_px + MARGIN_PX) for index in range(count)]
    said = [Piece(exchange.text, bold=True) for exchange in example.sample.exchanges]
    top_px = max(page.words([piece], x, MARGIN_PX, width_px) for piece, x in zip(said, columns, strict=True))
    for reply, x_px in zip(example.replies, columns, strict=True):
        y_px = page.picture(overlay(example, reply), x_px, top_px + 6, width_px)
        page.words(marked(reply.text or reply.message, reply.phrases), x_px, y_px + 8, width_px)
    return page


def read_records(path: Path, checkpoint: str, split: str) -> list[dict[str, Any]]:
    """The dialogues of one report of an evaluation.

    Raises:
        DataError: The evaluation has no report on this checkpoint and split.
    """
    for report in json.loads(path.read_text(encoding="utf-8"))["reports"]:
        if (report["checkpoint"], report["split"]) == (checkpoint, split):
            return list(report["records"])
    raise DataError(f"{path}: no report on checkpoint {checkpoint}, split {split}; evaluate those first")


def failures(engine: Engine, samples: Samples, records: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """The dialogues whose record says that they failed, in the split's order, as far as they fail again.

    Raises:
        DataError: A record is not of this data.
    """
    for record in records:
        if record["condition"] != HEADLINE.name or not is_failure(record["iou"], record["words"]["referent_right"]):
            continue
        number = record["dialogue"]
        if number >= len(samples.all) or samples.all[number].focus != record["focus"]:
            raise DataError(f"the records were not made from {samples.folder}: dialogue {number} differs")
        example = answered(engine, samples, samples.all[number])
        if is_failure(example.iou, example.referent_right):
            yield example


def is_failure(score: float, referent_right: bool) -> bool:
    """Whether a dialogue's last answer counts as failed."""
    return score < FAILURE_MAX_IOU or not referent_right


def draw_failures(examples: Sequence[Example]) -> Page:
    """A grid: the last turn's picture with the true outline, and beside it the dialogue and the answer it should have.

    Raises:
        DataError: There is no example.
    """
    if not examples:
        raise DataError("no dialogue failed")
    page = Page()
    legend = "Green outline: the target. Colored: the mask that was given. Green words: what should have been said."
    top_px = page.words([Piece(legend, QUIET)], MARGIN_PX, MARGIN_PX, PAGE_WIDTH_PX) + MARGIN_PX
    cell_px = PAGE_WIDTH_PX // FAILURE_COLUMNS
    for first in range(0, len(examples), FAILURE_COLUMNS):
        row = examples[first : first + FAILURE_COLUMNS]
        bottoms = [_failure(page, example, index * cell_px, top_px, cell_px) for index, example in enumerate(row)]
        top_px = max(bottoms) + 2 * MARGIN_PX
    return page


def _failure(page: Page, example: Example, x_px: int, y_px: int, width_px: int) -> int:
    """One cell; returns the y below it."""
    picture_px = width_px // 2 - MARGIN_PX
    last = example.replies[-1]
    below_px = page.picture(overlay(example, last, truth=True), x_px + MARGIN_PX, y_px, picture_px)
    verdict = "right words" if example.referent_right else "wrong words"
    note = Piece(f"IoU {example.iou:.2f}, {verdict}", QUIET)
    below_px = page.words([note], x_px + MARGIN_PX, below_px + 6, picture_px)
    text_x_px, text_px = x_px + picture_px + 2 * MARGIN_PX, width_px - picture_px - 3 * MARGIN_PX
    line_px = y_px
    for exchange, reply in zip(example.sample.exchanges, example.replies, strict=True):
        phrases = reply.phrases if reply is last else ()  # only the last answer's masks are in the picture
        line_px = page.words([Piece(exchange.text, bold=True)], text_x_px, line_px, text_px)
        line_px = page.words(marked(reply.text or reply.message, phrases), text_x_px, line_px, text_px) + 4
    return max(below_px, page.words([Piece(example.should, TRUTH_INK)], text_x_px, line_px, text_px))


def draw_pictures(folder: Path, split: str, count: int) -> Page:
    """A grid of the first pictures of a split.

    Raises:
        DataError: The split or a picture is missing or malformed.
    """
    page = Page()
    width_px = (PAGE_WIDTH_PX - MARGIN_PX * (PICTURE_COLUMNS + 1)) // PICTURE_COLUMNS
    names = dict.fromkeys(dialogue.img_id for dialogue in prist.read_split(folder, split))
    top_px = below_px = MARGIN_PX
    for index, name in enumerate(islice(names, count)):
        column = index % PICTURE_COLUMNS
        top_px = top_px if column else below_px
        x_px = MARGIN_PX + column * (width_px + MARGIN_PX)
        below_px = page.picture(prist.read_image(folder, name), x_px, top_px, width_px) + MARGIN_PX
    return page


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--strip", action="store_true", help="draw dialogue.png")
    what.add_argument(
        "--failures", type=positive, metavar="N", help="draw failures.png with the first N; see --records"
    )
    what.add_argument("--pictures", type=positive, metavar="N", help="draw randomized.png with the first N of --split")
    parser.add_argument("--records", type=Path, metavar="FILE", help="what `pixelrs evaluate --json FILE` wrote")
    parser.add_argument(
        "--data", type=Path, default=Path("data/tabletop"), metavar="DIR", help="PRIST folder (%(default)s)"
    )
    parser.add_argument("--split", default="test", help="which <split>.json (%(default)s)")
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or shipped name (%(default)s)")
    parser.add_argument("--min-iou", type=float, default=0.5, help="of the strip's last mask (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("docs/images"), metavar="DIR", help="folder (%(default)s)")
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads (default: torch's)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw one picture; 1 after an error that a message explains."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.failures and options.records is None:
        parser.error("--failures needs --records")
    try:
        if options.pictures:
            return _save(draw_pictures(options.data, options.split, options.pictures), options.out / "randomized.png")
        samples = Samples.load(options.data, options.split)
        engine = Engine.from_checkpoint(options.checkpoint, num_threads=options.threads)
        if options.strip:
            path, page = options.out / "dialogue.png", draw_strip(engine, samples, options.min_iou)
        else:
            records = read_records(options.records, options.checkpoint, options.split)
            chosen = list(islice(failures(engine, samples, records), options.failures))
            path, page = options.out / "failures.png", draw_failures(chosen)
    except (PixelrsError, OSError) as error:
        print(f"draw_examples: {error}", file=sys.stderr)
        return 1
    return _save(page, path)


def _save(page: Page, path: Path) -> int:
    page.save(path)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
