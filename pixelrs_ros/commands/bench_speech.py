"""Speak the dialogues of a data set in several voices, in silence, noise and echo, and measure how they go.

espeak-ng speaks, sox adds pink noise and reverberation, Silero VAD finds the utterances, the recognizer turns them into
words, and the network answers. Printed by noise: the word error rate, of everything and of what is acted on; how long
after its end an utterance is known to have ended; and how many dialogues end right, wrong, or with the robot asking to
say it again.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from pixelrs_ros.commands.numbers import not_negative_number, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="PRIST folder, of `pixelrs generate`")
    parser.add_argument("--split", default="test_direct", help="which <split>.json (default: test_direct)")
    parser.add_argument("--limit", type=positive, default=24, metavar="N", help="the first N dialogues (default: 24)")
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    parser.add_argument("--recognizer", default="sphinx", help="sphinx, whisper or sherpa (default: sphinx)")
    parser.add_argument("--model-dir", default="", metavar="DIR", help="model of whisper or sherpa")
    parser.add_argument(
        "--min-confidence",
        type=not_negative_number,
        default=0.5,
        metavar="X",
        help="else it asks again (default: 0.5)",
    )
    parser.add_argument("--threads", type=positive, default=1, metavar="N", help="CPU threads (default: 1)")
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/speech.json"), metavar="FILE",
        help="default: benchmarks/speech.json",
    )  # fmt: skip
    parser.add_argument("--document", action="store_true", help="rewrite the table of docs/speech.md")


def run(options: argparse.Namespace) -> None:
    """Speak, listen, answer, print the table, write the JSON.

    Raises:
        ConfigError: Something that speaks, disturbs or listens is not installed.
        CheckpointError: The checkpoint cannot be loaded.
        DataError: The folder is incomplete.
        OutputError: The JSON cannot be written, which is found out first.
    """
    from rich.console import Console
    from rich.markdown import Markdown

    from pixelrs_ros.commands.evaluate import load_engine
    from pixelrs_ros.commands.progress import progress_bar
    from pixelrs_ros.documents import write_table
    from pixelrs_ros.evaluation import speech
    from pixelrs_ros.evaluation.samples import Samples
    from pixelrs_ros.files import require_writable, write_json
    from pixelrs_ros.speech.recognizer import open_recognizer

    require_writable(options.json)
    samples = Samples.load(options.data, options.split, limit=options.limit)
    recognizer = open_recognizer(options.recognizer, options.model_dir, num_threads=options.threads)
    make_engine = partial(load_engine, options.checkpoint, "cpu", options.threads)
    console = Console(highlight=False)
    with progress_bar(console) as progress:
        task = progress.add_task("dialogues", total=len(samples.all) * (1 + len(speech.NOISES)))
        rows = speech.measure(
            samples,
            recognizer,
            make_engine,
            options.min_confidence,
            on_progress=lambda done: progress.advance(task, done),
        )
    table = speech.markdown(rows)
    console.print(Markdown(table))
    settings = {name: getattr(options, name) for name in ("split", "checkpoint", "recognizer", "min_confidence")}
    write_json(
        options.json,
        {"command": " ".join(["pixelrs", *sys.argv[1:]]), **settings, "dialogues": len(samples.all), "rows": rows},
    )
    if options.document:
        write_table(Path.cwd(), "bench:speech", table)
