"""Conversations about one picture as arrays of fixed shape, so that a batch is a look-up and nothing else.

Several conversations stand one after another in a row, behind one picture; each sees the picture and itself only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pixelrs_ros.sim.talk.turns import DialogueTurn
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.simulated.concepts import PART_NAMES
from pixelrs_ros.types import Status

ROW = 384  # tokens of a row of conversations
MAX_SEGS, MAX_TURNS, MAX_RUNS, RUN = 20, 24, 24, 28  # masks, turns and utterances of a row; word pieces of an utterance
MAX_OBJECTS = 15  # of a scene, the background not counted

# Fields of a row: shape and type. Where nothing stands there is -1.
FIELDS: dict[str, tuple[tuple[int, ...], type]] = {
    "ids": ((ROW,), np.int32),  # tokens
    "owner": ((ROW,), np.int8),  # which conversation of the row a token belongs to
    "place": ((ROW,), np.int16),  # of the token in its conversation
    "predict": ((ROW,), np.int8),  # 1 where the next token is to be predicted
    "runs": ((MAX_RUNS, RUN), np.int16),  # positions of each utterance's word pieces
    "seg": ((MAX_SEGS, 4), np.int16),  # position that predicts a [SEG]; position of its [OBJ]; object; part
    "asked": ((MAX_TURNS,), np.int16),  # position of the last token before an answer that is about something
    "about": ((MAX_TURNS, MAX_OBJECTS + 1), np.int8),  # 1 for each object that it is about
    "about_part": ((MAX_TURNS,), np.int8),  # the part that it is about, 0 for the whole
}


@dataclass
class EncodedTalk:
    """One conversation as token ids after the picture."""

    ids: list[int] = field(default_factory=list)
    predict: list[int] = field(default_factory=list)
    segs: list[tuple[int, int, int, int]] = field(default_factory=list)
    asked: list[tuple[int, tuple[int, ...], int]] = field(default_factory=list)


def encode_talk(turns: Sequence[DialogueTurn], layout: ChatLayout) -> EncodedTalk:
    """Tokens of a conversation, and what each answer is about."""
    talk = EncodedTalk()
    for index, turn in enumerate(turns):
        talk.ids += layout.user(turn.user, first=index == 0)
        reply = layout.answer(layout.history_answer(turn.answer, turn.status))
        start = len(talk.ids)
        talk.ids += reply
        talk.predict += [0] * (start - 1 - len(talk.predict)) + [int(turn.learn)] * len(reply)
        at_obj = [start + i for i, token in enumerate(reply) if token == layout.obj_id]
        at_seg = [start + i for i, token in enumerate(reply) if token == layout.seg_id]
        for seg, obj, target in zip(at_seg, at_obj, turn.targets, strict=True):
            talk.segs.append((seg - 1, obj, target.object_id, _part(target.part)))
        ids = tuple(target.object_id for target in turn.targets) or turn.candidates
        if ids and turn.learn and turn.status is not Status.ANSWERED:
            talk.asked.append((start - 1, ids, _part(turn.targets[0].part) if turn.targets else 0))
    talk.predict += [0] * (len(talk.ids) - len(talk.predict))
    return talk


def _part(name: str | None) -> int:
    return 0 if name is None else 1 + PART_NAMES.index(name)


def empty_rows(count: int) -> dict[str, np.ndarray]:
    """(count, …) arrays of `FIELDS`, all -1."""
    return {name: np.full((count, *shape), -1, dtype) for name, (shape, dtype) in FIELDS.items()}


def pack_rows(talks: Iterable[EncodedTalk], count: int, users_from: int) -> dict[str, np.ndarray]:
    """Fills rows with conversations, one after another.

    Args:
        talks: More than fit; one that is too long for a row is left out.
        count: Rows.
        users_from: The first token id that is a user's word piece.
    """
    rows = empty_rows(count)
    row = number = at = segs = turns = runs = 0
    for talk in talks:
        its_runs = _runs(talk.ids, users_from)
        size = len(talk.ids)
        if size > ROW or any(len(run) > RUN for run in its_runs):
            continue
        full = at + size > ROW or segs + len(talk.segs) > MAX_SEGS
        if full or turns + len(talk.asked) > MAX_TURNS or runs + len(its_runs) > MAX_RUNS:
            row, number, at, segs, turns, runs = row + 1, 0, 0, 0, 0, 0
            if row == count:
                break
        here = slice(at, at + size)
        rows["ids"][row, here] = talk.ids
        rows["owner"][row, here] = number
        rows["place"][row, here] = np.arange(size)
        rows["predict"][row, here] = talk.predict
        for run in its_runs:
            rows["runs"][row, runs, : len(run)] = at + np.array(run)
            runs += 1
        for seg, obj, thing, part in talk.segs:
            rows["seg"][row, segs] = (at + seg, at + obj, thing, part)
            segs += 1
        for place, things, part in talk.asked:
            rows["asked"][row, turns] = at + place
            rows["about"][row, turns] = 0
            rows["about"][row, turns, list(things)] = 1
            rows["about_part"][row, turns] = part
            turns += 1
        number, at = number + 1, at + size
    return rows


def _runs(ids: Sequence[int], users_from: int) -> list[list[int]]:
    """Positions of each utterance's word pieces."""
    runs: list[list[int]] = []
    for place, token in enumerate(ids):
        if token >= users_from:
            if place and ids[place - 1] >= users_from:
                runs[-1].append(place)
            else:
                runs.append([place])
    return runs
