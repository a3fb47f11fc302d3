"""One turn of a talk: the words of a person, what a robot should answer, and what is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pixelrs_ros.stranger import words
from pixelrs_ros.stranger.facts import at_place, by_size, fitting, name_of, related
from pixelrs_ros.stranger.paint import COLORS
from pixelrs_ros.stranger.scene import Item, Scene
from pixelrs_ros.stranger.tools import KINDS
from pixelrs_ros.types import Status

VOWELS = "aeiou"


@dataclass(frozen=True)
class Step:
    """One turn.

    Attributes:
        sort: "order", "place", ….
        user: What the person says.
        answer: What the robot should say.
        status: How the turn ends.
        items: That the answer shows, or between which it asks.
        part: The part of the item that it shows, or None for all of it.
    """

    sort: str
    user: str
    answer: str
    status: Status
    items: tuple[Item, ...] = ()
    part: str | None = None

    @property
    def target(self) -> Item | None:
        """The thing that the answer shows."""
        return self.items[0] if self.status is Status.GROUNDED else None

    @property
    def targets(self) -> tuple[str, ...]:
        """Labels of the masks that the answer shows."""
        if self.status is not Status.GROUNDED:
            return ()
        return (self.items[0].part_label(self.part) if self.part else self.items[0].label,)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Labels of the things between which the answer asks."""
        return tuple(item.label for item in self.items) if self.status is Status.CLARIFY else ()


@dataclass(frozen=True)
class Speaker:
    """A person before a scene."""

    rng: np.random.Generator
    scene: Scene

    def pick(self, options: Iterable[str]) -> str:
        """One of some phrasings."""
        return str(self.rng.choice(list(options)))

    def chance(self, share: float) -> bool:
        """True so often."""
        return bool(self.rng.random() < share)

    def shuffled(self, things: Iterable[Item]) -> list[Item]:
        """The things in any order."""
        listed = list(things)
        return [listed[index] for index in self.rng.permutation(len(listed))]

    def pick_maker(self, makers: Sequence[Callable[[Speaker], Step | None]]) -> Step | None:
        """A step that one of some makers makes."""
        return makers[int(self.rng.integers(len(makers)))](self)

    def noun(self, kind: str) -> str:
        """A kind, sometimes by another word."""
        synonyms = words.SYNONYMS.get(kind, ())
        return self.pick(synonyms) if synonyms and self.chance(0.3) else kind

    def the(self, item: Item) -> str | None:
        """Words that single a thing out, "the mug" or "the red mug"; None for a twin."""
        named = name_of(self.scene, item)
        if named is None:
            return None
        color = item.color if named[0] or self.chance(0.5) else None
        return f"the {color} {self.noun(item.kind)}" if color else f"the {self.noun(item.kind)}"

    def found(self, item: Item, part: str | None = None) -> str:
        """An answer that shows a thing or its part."""
        return self.pick(words.FOUND).format(x=f"the {part} of the {item.name}" if part else f"the {item.name}")

    def missing(self, bare: str) -> str:
        """An answer that something is not there."""
        return self.pick(words.MISSING).format(a=an(bare), bare=bare)


def an(bare: str) -> str:
    """With the indefinite article."""
    return f"{'an' if bare[0] in VOWELS else 'a'} {bare}"


def plural(kind: str) -> str:
    """Of a kind."""
    if kind == "knife":
        return "knives"
    return f"{kind}es" if kind.endswith(("x", "sh")) else f"{kind}s"


def said(speaker: Speaker, text: str) -> str:
    """The words as typed: now and then after a filler, or all small and without a full stop."""
    first = text.split()[0].strip(".,!'")
    if speaker.chance(0.1) and first.lower() not in words.OPENERS:
        text = speaker.pick(words.FILLERS) + (text if first in ("I", "I'd", "I'm") else text[0].lower() + text[1:])
    text = re.sub(r"\ba (?=[aeiou])", "an ", text[0].upper() + text[1:])
    if speaker.chance(0.15):
        text = text.lower().rstrip(".!")
    return text


def listed(names: Sequence[str], link: str = "and") -> str:
    """Several names in a row, "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {link} {names[-1]}"


def which(items: Sequence[Item]) -> str:
    """The question between several things."""
    kinds, colors = {item.kind for item in items}, {item.color for item in items}
    if len(kinds) == len(colors) == 1:
        return f"I see {words.NUMBERS[len(items)]} {items[0].color} {plural(items[0].kind)}. Which one do you mean?"
    if len(kinds) == 1:
        choice = dict.fromkeys(f"the {item.color} one" for item in items)
        return f"Which {items[0].kind} do you mean, {listed(list(choice), 'or')}?"
    choice = dict.fromkeys(f"the {item.name}" for item in items)
    return f"Which one do you mean, {listed(list(choice), 'or')}?"


def described(speaker: Speaker, sort: str, kind: str | None, color: str | None) -> Step:
    """An order by kind, color or both, with what comes of it."""
    items = tuple(fitting(speaker.scene, kind, color))
    bare = f"{color or ''} {speaker.noun(kind)}".strip() if kind else ""
    exact = f"{color or ''} {kind or 'thing'}".strip()
    if not kind:
        text = speaker.pick(words.ORDERS).format(x=speaker.pick(words.COLOR_ONLY).format(color=color))
    elif speaker.chance(0.16):
        text = speaker.pick(words.ORDERS_FOR_ANY).format(a=an(bare))
    elif speaker.chance(0.14):
        text = speaker.pick(words.WHERE).format(x=f"the {bare}")
    else:
        text = speaker.pick(words.ORDERS).format(x=f"the {bare}")
    text = said(speaker, text)
    if not items:
        return Step("absent", text, speaker.missing(exact), Status.NOT_FOUND)
    if len(items) > 1:
        return Step("ambiguous", text, which(items), Status.CLARIFY, items)
    return Step(sort, text, speaker.found(items[0]), Status.GROUNDED, items)


def order(speaker: Speaker) -> Step | None:
    """A plain order that one thing fits."""
    ways = [(item.kind, item.color) for item in speaker.scene.items]
    ways += [(item.kind, None) for item in speaker.scene.items]  # type: ignore[misc]
    ways += [(None, item.color) for item in speaker.scene.items]  # type: ignore[misc]
    ways = [way for way in ways if len(fitting(speaker.scene, *way)) == 1 and not _is_part_too(speaker.scene, *way)]
    return described(speaker, "order", *ways[int(speaker.rng.integers(len(ways)))]) if ways else None


def _is_part_too(scene: Scene, kind: str | None, color: str | None) -> bool:
    """Whether the bowl be a spoon's, or a black or white thing a cap, a handle or a page."""
    if kind == "bowl" and color is None:
        return any(item.kind == "spoon" for item in scene.items)
    return kind is None and color in ("black", "white")


def absent(speaker: Speaker) -> Step | None:
    """An order for what is not there; half of the colored ones mix what is there."""
    scene, rng = speaker.scene, speaker.rng
    kinds, colors = {item.kind for item in scene.items}, {item.color for item in scene.items}
    way = rng.choice(["mixed", "mixed", "color", "kind", "plain", "wish", "only color", "part"],
                     p=[0.22, 0.22, 0.22, 0.12, 0.08, 0.06, 0.04, 0.04])  # fmt: skip
    if way == "wish":
        return _wished(speaker, lambda fits, rivals: not fits and not rivals)
    if way == "part":
        return _absent_part(speaker)
    pairs: list[tuple[str | None, str | None]]
    everything = [(kind, color) for kind in KINDS for color in COLORS]
    if way == "mixed":
        pairs = [(k, c) for k, c in everything if k in kinds and c in colors and not fitting(scene, k, c)]
    elif way == "color":
        pairs = [(k, c) for k, c in everything if k in kinds and c not in colors]
    elif way == "kind":
        pairs = [(k, c) for k, c in everything if k not in kinds]
    elif way == "plain":
        pairs = [(k, None) for k in KINDS if k not in kinds]
    else:
        pairs = [(None, c) for c in COLORS if c not in colors]
    pairs = [pair for pair in pairs if not _is_part_too(scene, *pair)]
    return described(speaker, "absent", *pairs[int(rng.integers(len(pairs)))]) if pairs else None


def _absent_part(speaker: Speaker) -> Step | None:
    """A part that things of this kind do not have."""
    for item in speaker.shuffled(speaker.scene.items):
        lacking = [part for part in ("handle", "lid", "spout") if part not in KINDS[item.kind].parts]
        name = speaker.the(item)
        if name and lacking and item.kind in ("ball", "bowl", "book", "mug", "hammer", "spoon"):
            part = speaker.pick(lacking)
            text = speaker.pick(words.PARTS[:4]).format(part=f"the {part}", x=name)
            answer = f"I do not see {an(part)} on the {item.name}."
            return Step("absent", said(speaker, text), answer, Status.NOT_FOUND)
    return None


def ambiguous(speaker: Speaker) -> Step | None:
    """An order that several things fit: by kind, by color, by both for twins, by a shared part or by a wish."""
    scene = speaker.scene
    ways: list[tuple[str | None, str | None]] = []
    for item in scene.items:
        tried = ((item.kind, None), (item.kind, None), (None, item.color), (item.kind, item.color))
        ways += [way for way in tried if len(fitting(scene, *way)) > 1 and not _is_part_too(scene, *way)]
    if ways and not speaker.chance(0.2):
        return described(speaker, "ambiguous", *ways[int(speaker.rng.integers(len(ways)))])
    if speaker.chance(0.5):
        step = _wished(speaker, lambda fits, rivals: len(fits) > 1 and not rivals)
        if step:
            return step
    return _ambiguous_part(speaker)


def _ambiguous_part(speaker: Speaker) -> Step | None:
    scene = speaker.scene
    parts = [part for kind in KINDS.values() for part in kind.parts if part != "body"]
    for index in speaker.rng.permutation(len(parts)):
        part = parts[index]
        owners = tuple(item for item in scene.items if part in KINDS[item.kind].parts)
        if len(owners) < 2 or any(part not in item.parts for item in owners):
            continue
        if part == "bowl" and fitting(scene, "bowl"):
            continue
        kinds = {item.kind for item in owners}
        if len(kinds) == 1 and speaker.chance(0.6):
            text = speaker.pick(words.PARTS).format(part=f"the {part}", x=f"the {speaker.noun(owners[0].kind)}")
        else:
            text = speaker.pick(words.BARE_PARTS).format(part=f"the {part}")
        return Step("ambiguous", said(speaker, text), which(owners), Status.CLARIFY, owners)
    return None


def _group(speaker: Speaker) -> tuple[list[Item], str]:
    """Things to choose from by place or size, and their common word: those of a kind, a color, or all."""
    scene = speaker.scene
    groups = [(fitting(scene, item.kind), item.kind) for item in scene.items]
    groups += [(fitting(scene, None, item.color), f"{item.color} thing") for item in scene.items]
    groups = [(items, word) for items, word in groups if len(items) > 1 and not word.startswith(("white", "black"))]
    if not groups or speaker.chance(0.4):
        return list(scene.items), speaker.pick(("thing", "object", "item"))
    items, word = groups[int(speaker.rng.integers(len(groups)))]
    return items, speaker.noun(word) if word in KINDS else word


def place(speaker: Speaker) -> Step | None:
    """An order by place in the picture."""
    items, word = _group(speaker)
    table = words.PAIR_PLACES if len(items) == 2 and word in KINDS and speaker.chance(0.7) else words.PLACES
    where = speaker.pick(table)
    item = at_place(items, where)
    if item is None:
        return None
    text = speaker.pick(table[where]).format(k=word, n=f"the {word}")
    return Step("place", said(speaker, text), speaker.found(item), Status.GROUNDED, (item,))


def relation(speaker: Speaker) -> Step | None:
    """An order by the neighbor of a thing that has a name of its own."""
    anchor = speaker.shuffled(speaker.scene.items)[0]
    name = speaker.the(anchor)
    items, word = _group(speaker)
    where = speaker.pick(words.RELATIONS)
    item = related(items, anchor, where) if name else None
    if item is None:
        return None
    text = speaker.pick(words.RELATIONS[where]).format(k=word, y=name)
    return Step("relation", said(speaker, text), speaker.found(item), Status.GROUNDED, (item,))


def size(speaker: Speaker) -> Step | None:
    """An order by size."""
    items, word = _group(speaker)
    pair = len(items) == 2 and word in KINDS
    biggest = speaker.chance(0.5)
    item = by_size(items, biggest)
    if item is None:
        return None
    key = ("bigger" if biggest else "smaller") if pair else ("biggest" if biggest else "smallest")
    text = speaker.pick(words.SIZES[key]).format(k=word)
    return Step("size", said(speaker, text), speaker.found(item), Status.GROUNDED, (item,))


def part_of(speaker: Speaker) -> Step | None:
    """An order for a part of a thing: by its name, by what it is for, or alone where only one thing has it."""
    item = speaker.shuffled(speaker.scene.items)[0]
    parts = [part for part in item.parts if len(KINDS[item.kind].parts) > 1 and (part != "body" or speaker.chance(0.3))]
    name = speaker.the(item)
    if not parts or not name:
        return None
    part = speaker.pick(parts)
    owners = [other for other in speaker.scene.items if part in KINDS[other.kind].parts]
    purposes = words.PURPOSE_PARTS.get((item.kind, part), ())
    alone = len(owners) == 1 and part not in ("body", "bowl", "base")
    if purposes and speaker.chance(0.35):
        text = speaker.pick(purposes).format(x=name)
    elif alone and speaker.chance(0.4):
        text = speaker.pick(words.BARE_PARTS).format(part=f"the {part}")
    elif speaker.chance(0.2):
        text = speaker.pick(words.BARE_PARTS).format(part=f"{name}'s {part}")
    else:
        text = speaker.pick(words.PARTS).format(part=f"the {part}", x=name)
    return Step("part", said(speaker, text), speaker.found(item, part), Status.GROUNDED, (item,), part)


def wish(speaker: Speaker) -> Step | None:
    """An order by purpose that one thing serves."""
    return _wished(speaker, lambda fits, rivals: len(fits) == 1 and not rivals)


def _wished(speaker: Speaker, holds: Callable[[list[Item], list[Item]], bool]) -> Step | None:
    scene = speaker.scene
    kinds = []
    for kind, (rivals, _) in words.WISHES.items():
        near = [item for rival in rivals for item in fitting(scene, rival)]
        if holds(fitting(scene, kind), near):
            kinds.append(kind)
    if not kinds:
        return None
    kind = speaker.pick(kinds)
    step = described(speaker, "wish", kind, None)
    return replace(step, user=said(speaker, speaker.pick(words.WISHES[kind][1])))
