"""Makes a PRIST folder out of labeled pictures: `elements/`, `trees/`, and the dialogues of the trees' paths.

Files of elements and trees that are there are taken as they are, so that a person may change them; whatever a model
has answered is in its journal. A run that was ended goes on where it was.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelrs_ros.data import prist
from pixelrs_ros.data.build.pictures import labeled_pictures, look
from pixelrs_ros.data.build.steps import (
    Attributes,
    Builder,
    Elements,
    Node,
    Seen,
    Thing,
    Tree,
    paths,
    read_step,
    write_step,
)
from pixelrs_ros.errors import AnswerError, DataError, EndpointError
from pixelrs_ros.files import make_folder


@dataclass(frozen=True)
class Drop:
    """Something that is missing in the data set.

    Attributes:
        picture: Whose.
        step: "elements", "question" or "talk".
        labels: What is not told of for it.
        error: Why.
    """

    picture: str
    step: str
    labels: tuple[str, ...]
    error: AnswerError | EndpointError


@dataclass
class Built:
    """What came of a run.

    Attributes:
        pictures: That dialogues are about.
        left_out: Pictures with fewer than two labels that a mask shows: nothing is to be told apart in them.
        dialogues: How many there are.
        drops: What is missing.
    """

    pictures: int = 0
    left_out: int = 0
    dialogues: int = 0
    drops: list[Drop] = field(default_factory=list)

    def dropped(self, why: Callable[[BaseException], str]) -> dict[str, int]:
        """How many drops there were of each step and reason."""
        return dict(sorted(Counter(f"{drop.step}: {why(drop.error)}" for drop in self.drops).items()))


async def build(
    folder: Path,
    out: Path,
    builder: Builder,
    *,
    split: str,
    seed: int = 0,
    per_picture: int | None = None,
    at_once: int = 4,
    on_progress: Callable[[], None] = lambda: None,
) -> Built:
    """Make or complete a data set.

    Args:
        folder: With `images/` and `masks/`.
        out: The new PRIST folder; may be the same.
        builder: Does the steps.
        split: Name of the dialogues' file.
        seed: Chooses among a tree's paths where not all are told.
        per_picture: At most so many dialogues of each; None tells all paths.
        at_once: Pictures under way.
        on_progress: Called after each picture.

    Returns:
        Counts, and what was dropped and why.

    Raises:
        DataError: The folder, or a file that a person changed, is malformed.
        ConfigError: The builder's endpoint answers nothing.
        OutputError: A file cannot be written.
    """
    built = Built()
    for name in ("images", "masks"):
        make_folder(out / name)
    places = asyncio.Semaphore(at_once)

    async def one(img_id: str) -> list[dict[str, Any]]:
        async with places:
            seen = look(folder, img_id)
            if len(seen.things) < 2:
                built.left_out += 1
                on_progress()
                return []
            told = await _tell(seen, out, builder, built, seed, per_picture)
            if told and out.resolve() != folder.resolve():
                shutil.copyfile(seen.picture, prist.image_path(out, img_id))
                shutil.copyfile(prist.mask_path(folder, img_id), prist.mask_path(out, img_id))
            on_progress()
            return [dialogue.to_record() for dialogue in told]

    told = await asyncio.gather(*(one(img_id) for img_id in labeled_pictures(folder)))
    records = [record for each in told for record in each]
    built.pictures, built.dialogues = sum(map(bool, told)), len(records)
    prist.write_records(prist.split_path(out, split), records)
    return built


async def _tell(
    seen: Seen, out: Path, builder: Builder, built: Built, seed: int, per_picture: int | None
) -> list[prist.PristDialogue]:
    try:
        known = await _elements(seen, out, builder)
    except (AnswerError, EndpointError) as error:
        built.drops.append(Drop(seen.img_id, "elements", seen.labels, error))
        return []
    tree = await _tree(seen, known, out, builder, built)
    ways = list(paths(tree)) if tree else []
    if per_picture is not None and len(ways) > per_picture:
        ways = random.Random(f"{seed} {seen.img_id}").sample(ways, per_picture)
    found = await asyncio.gather(*(builder.talk(seen, known, way) for way in ways), return_exceptions=True)
    dialogues = []
    for way, turns in zip(ways, found, strict=True):
        if isinstance(turns, AnswerError | EndpointError):
            built.drops.append(Drop(seen.img_id, "talk", (way.label,), turns))
        elif isinstance(turns, BaseException):
            raise turns
        else:
            dialogues.append(prist.PristDialogue(seen.img_id, turns, way.label))
    return dialogues


def _step_path(out: Path, step: str, img_id: str) -> Path:
    return out / step / f"{Path(img_id).stem}.yaml"


async def _elements(seen: Seen, out: Path, builder: Builder) -> Attributes:
    path = _step_path(out, "elements", seen.img_id)
    if path.exists():
        return read_step(path, Elements, seen.img_id, seen.labels).elements
    known = await builder.describe(seen)
    step = Elements(picture=seen.img_id, elements={label: list(words) for label, words in known.items()})
    write_step(path, step)
    return step.elements


async def _tree(seen: Seen, known: Attributes, out: Path, builder: Builder, built: Built) -> Node | None:
    path = _step_path(out, "trees", seen.img_id)
    if path.exists():
        return read_step(path, Tree, seen.img_id, seen.labels).tree
    drops: list[Drop] = []
    tree = await _grow(seen, known, seen.things, builder, drops)
    built.drops += drops
    # A tree that an endpoint's failure left with gaps is grown again by the next run; the journal knows its questions.
    if isinstance(tree, Node) and not any(isinstance(drop.error, EndpointError) for drop in drops):
        write_step(path, Tree(picture=seen.img_id, tree=tree))
    return tree if isinstance(tree, Node) else None


async def _grow(
    seen: Seen, known: Attributes, things: Sequence[Thing], builder: Builder, drops: list[Drop]
) -> Node | str | None:
    """A subtree over some things; None where no question told them apart."""
    if len(things) == 1:
        return things[0].label
    try:
        question, answers = await builder.split(seen, known, things)
    except (AnswerError, EndpointError) as error:
        drops.append(Drop(seen.img_id, "question", tuple(thing.label for thing in things), error))
        return None
    groups: dict[str, list[Thing]] = {}
    spelled: dict[str, str] = {}
    for thing in things:
        answer = answers[thing.label]
        groups.setdefault(spelled.setdefault(answer.casefold(), answer), []).append(thing)
    if len(groups) < 2:
        raise DataError(f"{seen.img_id}: {question!r} leaves as many things as there were")
    grown = await asyncio.gather(*(_grow(seen, known, group, builder, drops) for group in groups.values()))
    kept = {answer: then for answer, then in zip(groups, grown, strict=True) if then is not None}
    return Node(question=question, answers=kept) if kept else None
