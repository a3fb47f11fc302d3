"""Several dialogues about one picture behind one set of image tokens.

Each dialogue sees the picture and itself, not its neighbors, and counts its positions from the end of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.concepts import Concept, parse_label
from pixelrs_ros.training.packed_attention import Packing
from pixelrs_ros.types import Status


@dataclass(frozen=True)
class EncodedDialogue:
    """One dialogue as token ids after the picture.

    Attributes:
        ids: Tokens.
        answered: For each token whether the network has to predict it.
        segs: Index of each `[SEG]`.
        objs: Index of each `[OBJ]`.
        concepts: What each `[SEG]` stands for.
        asked: Index of each turn's last token before the answer.
        in_play: For each turn the labels of what its answer is about: targets, or what "which one?" leaves open.
    """

    ids: list[int]
    answered: list[bool]
    segs: list[int]
    objs: list[int]
    concepts: list[Concept]
    asked: list[int]
    in_play: list[list[str]]


def encode_dialogue(item: dict[str, Any], layout: ChatLayout) -> EncodedDialogue:
    """Token ids of one PRIST dialogue with `meta` as `pixelrs generate` writes it."""
    ids: list[int] = []
    answered: list[bool] = []
    asked: list[int] = []
    values = [turn["value"] for turn in item["dialogue"]]
    for index, (user, answer) in enumerate(zip(values[::2], values[1::2], strict=True)):
        words = layout.user(user, first=index == 0)
        reply = layout.answer(layout.history_answer(answer, Status(item["meta"]["statuses"][index])))
        ids += words + reply
        answered += [False] * len(words) + [True] * len(reply)
        asked.append(len(ids) - len(reply) - 1)
    segs = [i for i, token in enumerate(ids) if token == layout.seg_id]
    objs = [i for i, token in enumerate(ids) if token == layout.obj_id]
    targets, candidates = item["meta"]["targets"], item["meta"]["candidates"]
    concepts = [parse_label(label) for labels in targets for label in labels]
    in_play = [named or left_open for named, left_open in zip(targets, candidates, strict=True)]
    return EncodedDialogue(ids, answered, segs, objs, concepts, asked, in_play)


@dataclass(frozen=True)
class Packed:
    """A batch of scenes. S scenes, L tokens, K `[SEG]` in all.

    Attributes:
        ids: (S, L) int64, padded.
        positions: (S, L) int64.
        packing: Where the dialogues lie, for the attention.
        is_image: (S, L) bool.
        predict: (S, L) bool, true where the *next* token is part of an answer.
        final: (S, L) bool, the same for the words of the last answer's phrase.
        seg_at: (K, 2) int64, scene and the position that predicts each `[SEG]`.
        obj_at: (K, 2) int64, scene and position of each `[OBJ]`.
        concepts: (K, 3) int64, kind, color and part of each.
        asked_at: (M, 2) int64, scene and position of the last token before each answer that is about something.
        in_play: The labels of what each of those answers is about.
        dialogue_of: (S, L) int64, which dialogue of the scene a token belongs to; -1 picture, -2 padding.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    packing: Packing
    is_image: torch.Tensor
    predict: torch.Tensor
    final: torch.Tensor
    seg_at: torch.Tensor
    obj_at: torch.Tensor
    concepts: torch.Tensor
    asked_at: torch.Tensor
    in_play: list[list[str]]
    dialogue_of: torch.Tensor


def pack(scenes: Sequence[Sequence[EncodedDialogue]], layout: ChatLayout) -> Packed:
    """Pack the dialogues of each scene behind its picture and pad the scenes to one length."""
    prefix = layout.prefix()
    start = len(prefix)
    length = start + max(sum(len(d.ids) for d in dialogues) for dialogues in scenes)
    shape = (len(scenes), length)
    ids = torch.full(shape, layout.eos_id)
    positions = torch.zeros(shape, dtype=torch.long)
    owner = torch.full(shape, -2)
    predict = torch.zeros(shape, dtype=torch.bool)
    final = torch.zeros(shape, dtype=torch.bool)
    slots = (len(scenes), max(map(len, scenes)), max(len(d.ids) for dialogues in scenes for d in dialogues))
    index, valid = torch.zeros(slots, dtype=torch.long), torch.zeros(slots, dtype=torch.bool)
    seg_at, obj_at, concepts, asked_at, in_play = [], [], [], [], []
    for row, dialogues in enumerate(scenes):
        ids[row, :start] = torch.tensor(prefix)
        positions[row, :start] = torch.arange(start)
        owner[row, :start] = -1
        at = start
        for number, dialogue in enumerate(dialogues):
            end = at + len(dialogue.ids)
            ids[row, at:end] = torch.tensor(dialogue.ids)
            positions[row, at:end] = torch.arange(start, start + end - at)
            owner[row, at:end] = number
            index[row, number, : end - at] = torch.arange(at, end)
            valid[row, number, : end - at] = True
            predict[row, at - 1 : end - 1] = torch.tensor(dialogue.answered)
            last_obj, last_seg = dialogue.objs[-1], dialogue.segs[-1]
            final[row, at + last_obj : at + last_seg - 1] = True
            seg_at += [(row, at + i - 1) for i in dialogue.segs]
            obj_at += [(row, at + i) for i in dialogue.objs]
            concepts += [(c.kind, c.color, c.part) for c in dialogue.concepts]
            about = [(i, labels) for i, labels in zip(dialogue.asked, dialogue.in_play, strict=True) if labels]
            asked_at += [(row, at + i) for i, _ in about]
            in_play += [labels for _, labels in about]
            at = end
    return Packed(
        ids=ids,
        positions=positions,
        packing=Packing(start, index, valid),
        is_image=ids == layout.image_id,
        predict=predict,
        final=final,
        seg_at=torch.tensor(seg_at),
        obj_at=torch.tensor(obj_at),
        concepts=torch.tensor(concepts),
        asked_at=torch.tensor(asked_at),
        in_play=in_play,
        dialogue_of=owner,
    )
