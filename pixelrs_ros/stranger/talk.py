"""Talks about a scene: plain orders, and dialogues of two to four turns."""

from __future__ import annotations

from collections.abc import Callable

from pixelrs_ros.data.prist import PristDialogue, PristMeta, PristTurn
from pixelrs_ros.stranger import steps, words
from pixelrs_ros.stranger.facts import at_place, fitting
from pixelrs_ros.stranger.paint import COLORS
from pixelrs_ros.stranger.scene import Item, Scene
from pixelrs_ros.stranger.steps import Speaker, Step, an, listed, plural, said
from pixelrs_ros.stranger.tools import KINDS
from pixelrs_ros.types import Status

Maker = Callable[[Speaker], Step | None]
# What a plain order is, and how often.
ORDERS: tuple[tuple[Maker, float], ...] = (
    (steps.order, 0.23),
    (steps.absent, 0.24),
    (steps.ambiguous, 0.145),
    (steps.place, 0.1),
    (steps.relation, 0.08),
    (steps.size, 0.06),
    (steps.part_of, 0.09),
    (steps.wish, 0.05),
)
MAX_TRIES = 300


def single(speaker: Speaker) -> list[Step]:
    """A talk of one plain order."""
    makers, shares = [maker for maker, _ in ORDERS], [share for _, share in ORDERS]
    index = int(speaker.rng.choice(len(makers), p=[share / sum(shares) for share in shares]))
    for _ in range(MAX_TRIES):
        step = makers[index](speaker)
        if step:
            return [step]
    return single(speaker)


def dialogue(speaker: Speaker) -> list[Step]:
    """A talk of two to four turns."""
    cores = (_asked_back, _asked_back, _other, _correction, _it, _it, _second_try, _second_try, _two_orders, _questions)
    for _ in range(MAX_TRIES):
        talk = cores[int(speaker.rng.integers(len(cores)))](speaker)
        if talk:
            if len(talk) < 4 and speaker.chance(0.2):
                talk = [_chat(speaker, words.GREETINGS), *talk]
            elif len(talk) < 4 and speaker.chance(0.15):
                talk = [_question(speaker), *talk]
            if len(talk) < 4 and (len(talk) < 2 or speaker.chance(0.2)):
                talk.append(_last(speaker, talk))
            return talk
    raise AssertionError("a scene that nobody can talk about")


def _last(speaker: Speaker, talk: list[Step]) -> Step:
    """What people say at the end: thanks, or a question about what they were shown."""
    item, part = talk[-1].target, talk[-1].part
    if item and part is None and speaker.chance(0.4):
        answer = f"The {item.kind} is {item.color}."
        return Step("question", said(speaker, speaker.pick(words.COLOR_OF_IT)), answer, Status.ANSWERED)
    return _chat(speaker, words.THANKS)


def _chat(speaker: Speaker, table: dict[str, str]) -> Step:
    text = speaker.pick(table)
    return Step("chat", said(speaker, text), table[text], Status.ANSWERED)


def _asked_back(speaker: Speaker) -> list[Step] | None:
    """An order that several things fit, the answer to "which one?", sometimes the other one or a part after that."""
    first = steps.ambiguous(speaker)
    if not first:
        return None
    item = speaker.shuffled(first.items)[0]
    name = _among(speaker, item, first.items)
    # After a question about parts the person would still mean the part: too close to call, so it ends there.
    if not name or any(part in first.user.lower() for part in _part_words()):
        return None
    text = said(speaker, speaker.pick(words.ANSWERS_WHICH).format(x=name))
    talk = [first, Step("answer_which", text, speaker.found(item), Status.GROUNDED, (item,))]
    if len(first.items) == 2 and speaker.chance(0.3):
        other = next(one for one in first.items if one is not item)
        text = said(speaker, speaker.pick(words.OTHERS[:3]))
        talk.append(Step("other", text, speaker.found(other), Status.GROUNDED, (other,)))
    elif speaker.chance(0.25) and (step := _its_part(speaker, item)):
        talk.append(step)
    return talk


def _part_words() -> set[str]:
    return {part for kind in KINDS.values() for part in kind.parts} - {"bowl"}


def _among(speaker: Speaker, item: Item, items: tuple[Item, ...]) -> str | None:
    """Words that tell one of several things from the rest: color, kind, place or both names."""
    options = []
    if sum(other.color == item.color for other in items) == 1:
        options += [f"the {item.color} one", f"the {item.color} {item.kind}"]
    if sum(other.kind == item.kind for other in items) == 1:
        options += [f"the {item.kind}", f"the {item.color} {item.kind}"]
    for where, phrase in (("left", "the left one"), ("right", "the one on the right"), ("front", "the nearer one"),
                          ("back", "the one at the back"), ("middle", "the one in the middle")):  # fmt: skip
        if at_place(items, where) is item and (where != "front" or len(items) == 2):
            options.append(phrase)
    return speaker.pick(options) if options else None


def _named(speaker: Speaker, item: Item, sort: str = "order") -> Step | None:
    """An order for a thing by color and kind, or None for a twin."""
    if len(fitting(speaker.scene, item.kind, item.color)) > 1:
        return None
    return steps.described(speaker, sort, item.kind, item.color)


def _other(speaker: Speaker) -> list[Step] | None:
    """One of two things of a kind, then the other one."""
    item = speaker.shuffled(speaker.scene.items)[0]
    pair = fitting(speaker.scene, item.kind)
    first = _named(speaker, item)
    if len(pair) != 2 or not first:
        return None
    other = next(one for one in pair if one is not item)
    text = said(speaker, speaker.pick(words.OTHERS).format(k=item.kind))
    return [first, Step("other", text, speaker.found(other), Status.GROUNDED, (other,))]


def _correction(speaker: Speaker) -> list[Step] | None:
    """An order, and that the person meant another color or kind; now and then one that is not there."""
    scene = speaker.scene
    item = speaker.shuffled(scene.items)[0]
    first = _named(speaker, item)
    if not first:
        return None
    pattern = speaker.pick(words.CORRECTIONS)
    if len(fitting(scene, item.kind)) == 1 and speaker.chance(0.4):
        color = speaker.pick(color for color in COLORS if not fitting(scene, None, color))
        text = said(speaker, pattern.format(x=f"the {color} {item.kind}"))
        return [first, Step("correction", text, speaker.missing(f"{color} {item.kind}"), Status.NOT_FOUND)]
    meant = speaker.shuffled(one for one in scene.items if one is not item)[0]
    is_like = meant.kind == item.kind and len(fitting(scene, item.kind, meant.color)) == 1
    name = f"the {meant.color} one" if is_like else speaker.the(meant)
    if not name or (name == "the bowl" and fitting(scene, "spoon")):
        return None
    step = Step("correction", said(speaker, pattern.format(x=name)), speaker.found(meant), Status.GROUNDED, (meant,))
    return [first, step]


def _its_part(speaker: Speaker, item: Item) -> Step | None:
    parts = [part for part in item.parts if part != "body"]
    if not parts:
        return None
    part = speaker.pick(parts)
    text = speaker.pick(words.ITS_HANDLE if part == "handle" and speaker.chance(0.35) else words.ITS)
    text = said(speaker, text.format(part=part))
    return Step("it", text, speaker.found(item, part), Status.GROUNDED, (item,), part)


def _it(speaker: Speaker) -> list[Step] | None:
    """A thing and then its part, or a part and then the whole thing."""
    if speaker.chance(0.3):
        first = steps.part_of(speaker)
        if not first:
            return None
        item = first.items[0]
        text = said(speaker, speaker.pick(words.WHOLES))
        return [first, Step("it", text, speaker.found(item), Status.GROUNDED, (item,))]
    first = speaker.pick_maker((steps.order, steps.place, steps.wish))
    second = _its_part(speaker, first.items[0]) if first else None
    if not first or not second:
        return None
    third = _its_part(speaker, first.items[0]) if speaker.chance(0.2) else None
    return [first, second] + ([third] if third and third.part != second.part else [])


def _second_try(speaker: Speaker) -> list[Step] | None:
    """Something that is not there, and then something that is."""
    first = steps.absent(speaker)
    second = speaker.pick_maker((steps.order, steps.place, steps.part_of, steps.absent))
    return [first, second] if first and second and first.user != second.user else None


def _two_orders(speaker: Speaker) -> list[Step] | None:
    """Two orders about different things."""
    first = speaker.pick_maker((steps.order, steps.wish, steps.size, steps.relation))
    second = speaker.pick_maker((steps.order, steps.absent, steps.ambiguous, steps.relation, steps.size, steps.place))
    # "The mug" after "the red mug" might mean the same one again.
    if not first or not second or first.items[0] in second.items:
        return None
    return [first, second]


def _questions(speaker: Speaker) -> list[Step] | None:
    """One or two questions, then maybe an order."""
    first, second = _question(speaker), _question(speaker)
    last = speaker.pick_maker((steps.order, steps.place, steps.part_of, steps.absent, steps.ambiguous))
    if speaker.chance(0.6):
        return [first, last] if last else None
    return [first, second] if first.user != second.user else None


def _question(speaker: Speaker) -> Step:
    """A question about the scene with its true answer."""
    text, answer = QUESTIONS[int(speaker.rng.integers(len(QUESTIONS)))](speaker)
    return Step("question", said(speaker, text), answer, Status.ANSWERED)


def _what(speaker: Speaker) -> tuple[str, str]:
    names = [item.name for item in speaker.scene.items]
    told = []
    for name in dict.fromkeys(names):
        count = names.count(name)
        color, kind = name.split()
        told.append(an(name) if count == 1 else f"{words.NUMBERS[count]} {color} {plural(kind)}")
    return speaker.pick(words.LISTS), f"I see {listed(told)}."


def _how_many(speaker: Speaker) -> tuple[str, str]:
    items = speaker.scene.items
    if speaker.chance(0.2):
        return speaker.pick(words.COUNTS_ALL), f"There are {words.NUMBERS[len(items)]} things."
    kind = speaker.pick(item.kind for item in items) if speaker.chance(0.8) else speaker.pick(KINDS)
    count = len(fitting(speaker.scene, kind))
    answer = f"There is one {kind}." if count == 1 else f"There are {words.NUMBERS[count]} {plural(kind)}."
    return speaker.pick(words.COUNTS).format(ks=plural(kind)), answer


def _is_there(speaker: Speaker) -> tuple[str, str]:
    item = speaker.shuffled(speaker.scene.items)[0]
    kind = item.kind if speaker.chance(0.6) else speaker.pick(KINDS)
    if kind == "bowl" and fitting(speaker.scene, "spoon"):
        kind = item.kind
    color = None if speaker.chance(0.5) else item.color if speaker.chance(0.6) else speaker.pick(COLORS)
    bare = f"{color} {kind}" if color else kind
    fits = fitting(speaker.scene, kind, color)
    verdict = f"Yes, there is {an(fits[0].name)}." if fits else f"No, I do not see {an(bare)}."
    return speaker.pick(words.EXISTS).format(a=an(bare)), verdict


def _what_color(speaker: Speaker) -> tuple[str, str]:
    for item in speaker.shuffled(speaker.scene.items):
        if len(fitting(speaker.scene, item.kind)) == 1:
            return speaker.pick(words.COLORS_OF).format(x=f"the {item.kind}"), f"The {item.kind} is {item.color}."
    return _what(speaker)


QUESTIONS = (_what, _how_many, _how_many, _is_there, _is_there, _what_color)


def to_prist(talk: list[Step], img_id: str, scene: Scene) -> PristDialogue:
    """A talk in PRIST's form; without a focus where its last answer shows nothing."""
    last = talk[-1]
    item = last.target
    meta = PristMeta(
        scene_seed=scene.seed,
        kinds=tuple(step.sort for step in talk),
        statuses=tuple(step.status for step in talk),
        targets=tuple(step.targets for step in talk),
        candidates=tuple(step.candidates for step in talk),
        kind=item.kind if item else "",
        color=item.color if item else "",
        part=last.part if item else None,
        visible=round(item.visible, 3) if item else None,
        hard=("textured",) if scene.textured else (),
    )
    turns = tuple(PristTurn(step.user, step.answer) for step in talk)
    return PristDialogue(img_id, turns, last.targets[0] if item else "", meta)
