"""Tries the loop of docs/improve.md where the truth is known: the simulator plays the user, the thumb and the labeler.

  scripts/env.sh python scripts/measure_improve.py play DATA SPLIT --store DIR --count N  # dialogues, thumbs down
  scripts/env.sh python scripts/measure_improve.py label DATA SPLIT --marked DIR  # what a person would draw

Between them come the commands of docs/improve.md. A turn gets its thumb down where its mask meets less than half of
what was meant (IoU). `play` talks to the network without ROS; the thumb goes through the same session as ~/mark_turn.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from itertools import islice
from pathlib import Path

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.from_bag import DIALOGUES_FILE
from pixelrs_ros.data.labeling import FOLDER
from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.engine.session import Session
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.files import make_folder, write_file
from pixelrs_ros.types import Frame, Mark, Utterance, Verdict

RIGHT_IOU = 0.5


def play(options: argparse.Namespace) -> None:
    """Say the user's words of each dialogue; mark its last turn as wrong where the mask is."""
    engine = open_answerer(options.checkpoint, device="cpu", num_threads=options.threads)
    dialogues = [each for each in prist.read_split(options.data, options.split) if each.focus]
    count = min(options.count, len(dialogues))
    session = Session(engine, max_sessions=count, storage=Storage(options.store.absolute()))
    started_s, wrong = time.monotonic(), 0
    for place, dialogue in enumerate(islice(dialogues, count)):
        frame = Frame(prist.read_image(options.data, dialogue.img_id))
        for turn in dialogue.turns:
            reply = session.say(Utterance(turn.user, session_id=f"{place:06d}"), frame)
        truth = prist.read_masks(options.data, dialogue.img_id)[dialogue.focus.casefold()]
        if iou(reply.union_mask(*truth.shape), truth) < RIGHT_IOU:
            session.mark(f"{place:06d}", Mark(Verdict.BAD))
            wrong += 1
    told = sum(len(session.marks(f"{place:06d}")) for place in range(count))
    session.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{count} dialogues, {wrong} ended on a wrong mask; marked with those corrected by words: {told}")
    print(f"{time.monotonic() - started_s:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU")


def label(options: argparse.Namespace) -> None:
    """Draw the truth into labelme's files, for the last turn of each dialogue that was marked."""
    make_folder(options.marked / FOLDER)
    dialogues = [each for each in prist.read_split(options.data, options.split) if each.focus]
    drawn = 0
    for told in json.loads((options.marked / DIALOGUES_FILE).read_text()):
        dialogue, turn = dialogues[int(told["session_id"])], told["turns"][-1]
        if turn["img_id"] is None:
            continue
        truth = prist.read_masks(options.data, dialogue.img_id)[dialogue.focus.casefold()]
        annotation = labelme.annotate(f"../images/{turn['img_id']}", {(f"the {dialogue.focus}", 0): truth})
        path = options.marked / FOLDER / f"{Path(turn['img_id']).stem}.json"
        write_file(path, labelme.to_json(annotation))
        drawn += 1
    print(f"{drawn} pictures labeled")


def main() -> None:
    """Runs one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    for run in (play, label):
        step = steps.add_parser(run.__name__, help=run.__doc__)
        step.set_defaults(run=run)
        step.add_argument("data", type=Path, help="PRIST folder whose dialogues are played")
        step.add_argument("split")
        if run is play:
            step.add_argument("--store", type=Path, required=True, metavar="DIR", help="where dialogues are stored")
            step.add_argument("--count", type=int, required=True, metavar="N", help="dialogues")
            step.add_argument("--checkpoint", default="nano")
            step.add_argument("--threads", type=int, default=2, metavar="N")
        else:
            step.add_argument("--marked", type=Path, required=True, metavar="DIR", help="the exported folder")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
