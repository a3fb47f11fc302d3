"""Score the words of dialogues, by metrics of text and by a language model that judges them.

Each FILE is what `pixelrs evaluate --json FILE` wrote, of which the first condition of every report counts, or the
folder of a data set, whose own words count. Answers are compared with the data's: exact match, BLEU, ROUGE. A judge at
an OpenAI-compatible endpoint reads the dialogues, without their pictures, and gives progressiveness, logical coherence,
content consistency and target relevance 1 to 5 with a reason; of each file after the first it also says whose answers
are better than the first one's in the same split, asked in both orders. What is no such answer is an error and no
score. Answers are kept as they come: the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.commands.data_sets import add_data_options
from pixelrs_ros.commands.endpoints import add_endpoint_options
from pixelrs_ros.commands.numbers import not_negative, positive
from pixelrs_ros.errors import AnswerError, ConfigError

if TYPE_CHECKING:
    from pixelrs_ros.evaluation.judge.judging import Court

TABLE_WIDTH = 200  # characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "said", type=Path, nargs="+", metavar="FILE",
        help="records of `pixelrs evaluate --json`, or a data set's folder",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="all that was found, raw answers too")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the records' data set lies now")
    add_data_options(parser)
    parser.add_argument("--split", action="append", help="only this one; may be repeated")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N dialogues of each split")
    judge = parser.add_argument_group("judge", "without --endpoint only metrics of text are computed")
    add_endpoint_options(judge, temperature=0.0)
    judge.add_argument("--judge", metavar="MODEL", help="as the endpoint calls it")
    judge.add_argument("--seed", type=not_negative, default=0, metavar="N", help="of the judge (default: 0)")
    judge.add_argument(
        "--runs", type=positive, default=1, metavar="N", help="ask everything N times, with seeds from --seed on"
    )
    judge.add_argument(
        "--agree", type=Path, action="append", default=[], metavar="JSON",
        help="say how far another judge agrees: what `pixelrs judge --out` wrote; may be repeated",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Score, ask, write, print.

    Raises:
        ConfigError: A judge is asked for without its name, or does not answer at all; what it answered is kept.
        DataError: A file or a data set is missing, malformed or of nothing that can be compared.
        OutputError: The JSON cannot be written, which is found out before anything is asked.
        AnswerError: The judge gave no answer that counts; the JSON is written all the same.
    """
    from rich.console import Console

    from pixelrs_ros.commands.progress import progress_bar
    from pixelrs_ros.evaluation.judge.judging import distinct, journal_of, judge_words
    from pixelrs_ros.evaluation.judge.report import error_lines, tables
    from pixelrs_ros.evaluation.judge.talks import read_talks
    from pixelrs_ros.files import require_writable, write_json

    court = _court(options)
    require_writable(options.out)
    groups = distinct(
        [
            read_talks(
                path, splits=options.split, data=options.data, form=options.format, pictures=options.images,
                limit=options.limit,
            )
            for path in options.said
        ]
    )  # fmt: skip
    console = Console()
    if not console.is_terminal:
        console.width = TABLE_WIDTH  # a file has no width of its own, and the default would cut numbers
    with progress_bar(console, shown=court is not None) as progress:
        task = progress.add_task("answers", total=None)
        found = judge_words(
            groups, court, options.out, options.agree,
            lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    write_json(options.out, found)
    journal_of(options.out).unlink(missing_ok=True)
    for table in tables(found):
        console.print(table)
    for line in error_lines(found):
        console.print(line, markup=False, highlight=False)
    answers = found["answers"]
    if answers and all(answer["error"] for answer in answers):
        raise AnswerError(f"none of {len(answers)} answers of the judge counts; the first: {answers[0]['error']}")


def _court(options: argparse.Namespace) -> Court | None:
    if (options.endpoint is None) != (options.judge is None):
        raise ConfigError("--endpoint and --judge go together: where the judge is, and what it is called there")
    if options.endpoint is None:
        return None
    from pixelrs_ros.evaluation.judge.endpoint import EndpointJudge
    from pixelrs_ros.evaluation.judge.judging import Court

    judge = EndpointJudge(
        options.endpoint,
        options.judge,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        timeout_s=options.timeout_s,
    )
    return Court(judge, [options.seed + place for place in range(options.runs)], options.at_once)
