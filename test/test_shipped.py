"""The shipped network on golden scenes: it must be good enough that a broken file or transform cannot pass for it."""

import numpy as np

from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.ros.script import render_view, truth, write_script
from pixelrs_ros.sim.render import Renderer
from pixelrs_ros.types import Frame, Status, Turn, Utterance

GOLDEN_SCENE_SEED = 920_000  # neither trained on, nor the demo's
DIALOGUES = 8
MIN_MEAN_IOU = 0.3


def test_golden_dialogues_end_on_the_right_mask_and_only_with_open_eyes() -> None:
    engine = Engine.from_checkpoint("nano")
    session = Session(engine)
    sighted, blind = [], []
    with Renderer() as renderer:
        for script in write_script(renderer, DIALOGUES, first_scene_seed=GOLDEN_SCENE_SEED):
            unseen: tuple[Turn, ...] = ()
            for turn in script:
                view = render_view(renderer, turn.scene_seed, turn.camera_seed)
                reply = session.say(Utterance(turn.text, session_id=turn.session_id), Frame(view.image))
                guess = engine.answer(engine.encode(view.image, blind=True), unseen, turn.text)
                unseen = (*unseen, Turn(turn.turn, turn.text, guess.answer, guess.status))
            target = truth(view, script[-1])
            assert target is not None
            sighted.append(iou(reply.union_mask(*target.shape), target))
            blind.append(iou(guess.union_mask(*target.shape), target))
            assert reply.status is Status.GROUNDED
            assert all(reply.text[phrase.start : phrase.end] for phrase in reply.phrases)
    assert np.mean(sighted) >= MIN_MEAN_IOU
    assert np.mean(sighted) >= np.mean(blind) + 0.1
