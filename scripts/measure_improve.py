"""Tries the loop of docs/improve.md where the truth is known: the simulator plays the user, the thumb and the labeler.

  scripts/env.sh python scripts/measure_improve.py play DATA SPLIT --store DIR --count N  # dialogues, thumbs down
  scripts/env.sh python scripts/measure_improve.py play DATA SPLIT --skip N --count N [--checkpoint DIR]  # the score
  scripts/env.sh python scripts/measure_improve.py label DATA SPLIT --marked DIR  # what a person would draw

Between them come the commands of docs/improve.md. A turn gets its thumb down where its mask meets less than half of
what was meant (IoU). `play` talks to the network without ROS; the thumb goes through the same session as ~/mark_turn.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
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
    """Say the user's words of each dialogue; mark its last turn as wrong where the mask is, if there is a store."""
    engine = open_answerer(options.checkpoint, device="cpu", num_threads=options.threads)
    dialogues = [each for each in prist.read_split(options.data, options.split) if each.focus]
    chosen = dialogues[options.skip : options.skip + options.count]
    storage = Storage(options.store.absolute()) if options.store else None
    session = Session(engine, max_sessions=len(chosen), storage=storage)
    started_s, reached = time.monotonic(), []
    for place, dialogue in enumerate(chosen, options.skip):
        frame = Frame(prist.read_image(options.data, dialogue.img_id))
        for turn in dialogue.turns:
            reply = session.say(Utterance(turn.user, session_id=f"{place:06d}"), frame)
        truth = prist.read_masks(options.data, dialogue.img_id)[dialogue.focus.casefold()]
        reached.append(iou(reply.union_mask(*truth.shape), truth))
        if storage and reached[-1] < RIGHT_IOU:
            session.mark(f"{place:06d}", Mark(Verdict.BAD))
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "checkpoint": options.checkpoint,
        "split": options.split,
        "dialogues": len(reached),
        "gIoU": round(sum(reached) / len(reached), 4),
        "right": sum(value >= RIGHT_IOU for value in reached),
        "marked": sum(len(session.marks(one.session_id)) for one in session.summaries()),
        "wall_s": round(time.monotonic() - started_s),
        "cpu_s": round(used.ru_utime + used.ru_stime),
    }
    session.close()
    print(json.dumps(found))


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
            step.add_argument("--store", type=Path, metavar="DIR", help="where dialogues are stored, to be marked")
            step.add_argument("--skip", type=int, default=0, metavar="N", help="dialogues before the first")
            step.add_argument("--count", type=int, required=True, metavar="N", help="dialogues")
            step.add_argument("--checkpoint", default="nano")
            step.add_argument("--threads", type=int, default=2, metavar="N")
        else:
            step.add_argument("--marked", type=Path, required=True, metavar="DIR", help="the exported folder")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
