"""Score checkpoints on splits of a data set, ours or not, side by side: PRIST, ReasonSeg, refCOCO, COCO, LLaVA.

The human turns of each dialogue are played in order with the network's own answers as history, and the masks of the
last answer are scored against the polygons whose label is the dialogue's focus; no mask counts as IoU 0. A turn that
gets no answer, because its words do not fit or the network's make no sense, is counted and named, and the dialogue goes
on without it. The trivial baselines stand beside. gIoU: mean IoU, with its 95 % interval (bootstrap over images). cIoU:
summed intersections over summed unions. Boundary IoU: Cheng et al. 2021, bands of 2 % of the diagonal. P, R, F1: of
pixels, summed over the data set. Seconds a turn: the median, with the encoding of the picture. Score error: expected
calibration error of the published mask score against the IoU reached.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrs_ros.commands.data_sets import add_data_options
from pixelrs_ros.commands.numbers import positive
from pixelrs_ros.commands.sharing import add_worker_options, players_of
from pixelrs_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from pixelrs_ros.evaluation.play import AnsweringEngine, Condition
    from pixelrs_ros.evaluation.records import Record
    from pixelrs_ros.evaluation.samples import Samples

TO_TERMINAL = Path("-")
BASELINES = ("box-of-largest", "box-of-target", "true-words")  # `HELPED`, which takes a second to import
TABLE_WIDTH = 230  # characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR",
        help="the data set, such as a PRIST folder: <split>.json, images/, masks/",
    )  # fmt: skip
    add_data_options(parser)
    parser.add_argument("--split", action="append", help="which <split>.json; may be repeated (default: test)")
    parser.add_argument(
        "--checkpoint", action="append", metavar="DIR", help="folder or name; may be repeated (default: nano)"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N dialogues of each split")
    parser.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=TO_TERMINAL,
        metavar="FILE",
        help="write the reports as JSON, every dialogue with it, to FILE, and draw the mask score's reliability "
        "beside it; without FILE print the reports alone",
    )
    parser.add_argument(
        "--report", type=Path, metavar="HTML", help="also write the page of `pixelrs report`; needs --json"
    )
    history = parser.add_mutually_exclusive_group()
    history.add_argument(
        "--reference-history", action="store_true", help="history holds the data's answers, not our own"
    )
    history.add_argument("--last-turn-only", action="store_true", help="give the last instruction alone, no history")
    history.add_argument(
        "--all", action="store_true", help="own history, blind, last turn only, reference history at once"
    )
    parser.add_argument(
        "--blind", action="store_true", help="show the language model a gray image; SAM sees the real one"
    )
    parser.add_argument(
        "--baseline", action="append", default=[], metavar="NAME", choices=BASELINES,
        help="also a row for the network helped by the truth: box-of-largest or box-of-target (SAM, and a box around "
        "the largest labeled object, or what is meant) or true-words (the data's history and answer); may be repeated",
    )  # fmt: skip
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="CPU threads a process (default: half of the CPUs)"
    )
    add_worker_options(parser, "share the images")


def run(options: argparse.Namespace) -> None:
    """Play, print the tables, write the JSON.

    Raises:
        DataError: The folder is incomplete.
        ConfigError: --report without a file to show, or the Ray cluster cannot be used.
        CheckpointError: The checkpoint cannot be loaded.
        OutputError: The JSON cannot be written, which is found out before the network runs.
    """
    from pixelrs_ros.files import require_writable
    from pixelrs_ros.shipped import resolve

    players_of(options)  # what cannot be meant is told before anything is read
    checkpoints = list(dict.fromkeys(options.checkpoint or ["nano"]))
    for checkpoint in checkpoints:
        resolve(checkpoint)  # a wrong name is told before torch is loaded, which takes seconds
    if options.report and options.json in (None, TO_TERMINAL):
        raise ConfigError("--report shows what stands in a file: give --json FILE too")
    for path in filter(None, (options.report, None if options.json == TO_TERMINAL else options.json)):
        require_writable(path)
    from rich.console import Console

    from pixelrs_ros.commands.progress import progress_bar
    from pixelrs_ros.evaluation.samples import Samples

    loaded = [
        Samples.load(options.data, split, limit=options.limit, form=options.format, pictures=options.images)
        for split in dict.fromkeys(options.split or ["test"])
    ]
    console = Console(stderr=options.json == TO_TERMINAL)
    if not console.is_terminal:
        console.width = TABLE_WIDTH  # a file has no width of its own, and the default would cut numbers
    results = []
    with progress_bar(console) as progress:
        total = len(checkpoints) * sum(len(samples.all) for samples in loaded)
        task = progress.add_task("dialogues", total=total)
        for samples in loaded:
            for checkpoint in checkpoints:
                results.append(_score(options, samples, checkpoint, lambda done: progress.advance(task, done)))
    _print_tables(console, [report for report, _ in results])
    write_reports(options.json, str(options.data), results)
    if options.report:
        from pixelrs_ros.evaluation.page import write_report

        write_report(options.report, [options.json])


def _score(
    options: argparse.Namespace, samples: Samples, checkpoint: str, on_progress: Callable[[int], None]
) -> tuple[dict[str, Any], Sequence[Record]]:
    from pixelrs_ros.evaluation.evaluate import Job, evaluate

    threads, workers = players_of(options)
    make_engine = partial(load_engine, checkpoint, options.device, threads)
    job = Job(samples, conditions(options), tuple(dict.fromkeys(options.baseline)))
    report, records = evaluate(job, make_engine, workers=workers, on_progress=on_progress)
    return {"checkpoint": checkpoint, **report}, records


def conditions(options: argparse.Namespace) -> tuple[Condition, ...]:
    """The conditions that the options ask for; the first is the headline.

    Raises:
        ConfigError: Both --all and --blind.
    """
    from pixelrs_ros.evaluation.play import ALL_CONDITIONS, Condition

    if options.all and options.blind:
        raise ConfigError("--all has a blind row of its own: leave --blind away")
    if options.all:
        return ALL_CONDITIONS
    if options.reference_history:
        return (Condition("reference", options.blind),)
    return (Condition("none" if options.last_turn_only else "own", options.blind),)


def load_engine(checkpoint: str, device: str, threads: int | None) -> AnsweringEngine:
    """A freshly loaded network.

    Raises:
        CheckpointError: It cannot be loaded.
    """
    from pixelrs_ros.engine.opening import open_answerer

    return open_answerer(checkpoint, device, threads)


def _print_tables(console: Console, reports: list[dict[str, Any]]) -> None:
    from pixelrs_ros.evaluation.published import comparisons
    from pixelrs_ros.evaluation.tables import (
        conditions_table,
        doubts_table,
        groups_table,
        published_table,
        status_table,
        unanswered_lines,
    )

    tables = [
        conditions_table(reports),
        doubts_table(reports),
        groups_table(reports, "by_kind", "kind of the last turn"),
        groups_table(reports, "by_view", "picture"),
        groups_table(reports, "by_hard", "what is hard in the language"),
        *map(status_table, reports),
        *map(published_table, comparisons(reports)),
    ]
    for table in tables:
        if table is not None:
            console.print(table)
    for line in chain.from_iterable(map(unanswered_lines, reports)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def write_reports(where: Path | None, data: str, results: list[tuple[dict[str, Any], Sequence[Record]]]) -> None:
    """Write the reports with their records as JSON, to the terminal or a file, and beside a file their reliability.

    Args:
        where: The file, `TO_TERMINAL`, or None: nowhere.
        data: What was evaluated on.
        results: Each report with its records.
    """
    if where is None:
        return
    if where == TO_TERMINAL:
        whole = {"data": data, "reports": [report for report, _ in results]}
        print(json.dumps(whole, indent=1, ensure_ascii=False))
        return
    from pixelrs_ros.files import writing

    with writing(where) as file:  # piece by piece: the records may not fit into memory
        file.write(f'{{\n"data": {json.dumps(data, ensure_ascii=False)},\n"reports": [')
        for place, (report, records) in enumerate(results):
            head = json.dumps(report, indent=1, ensure_ascii=False).removesuffix("\n}")
            file.write(f'{"," if place else ""}\n{head},\n "records": [')
            for number, record in enumerate(records):
                file.write(f"{',' if number else ''}\n{json.dumps(record.to_json(), ensure_ascii=False)}")
            file.write("\n]}")
        file.write("\n]\n}\n")
    if where.is_file():  # no device, beside which there is no place
        draw_reliabilities(where.with_name(f"{where.stem}_reliability.svg"), results)


def draw_reliabilities(where: Path, results: list[tuple[dict[str, Any], Sequence[Record]]]) -> None:
    """Draws it for the first condition of every report that has masks; nothing where none has."""
    from pixelrs_ros.evaluation.calibration import draw_reliability
    from pixelrs_ros.evaluation.tables import headline, title
    from pixelrs_ros.evaluation.tallies import calibration_of

    found = {}
    for report, records in results:
        name, _ = headline(report)
        calibration = calibration_of(record for record in records if record.condition == name)
        if calibration:
            found[title(report)] = calibration
    if found:
        draw_reliability(found, where)
