"""Puts referring expressions into one speaker's words."""

from __future__ import annotations

import random

from pixelrs_ros.sim.talk.refer import ORDINALS, Expression
from pixelrs_ros.sim.talk.speech import plural, with_article
from pixelrs_ros.sim.talk.voices import Speaker


def noun_phrase(expression: Expression, speaker: Speaker, rng: random.Random) -> str:
    """What the speaker calls it, an article included."""
    form = expression.form
    if form == "wish":
        return speaker.phrase(f"want.{expression.value}")
    if form == "group":
        return speaker.phrase(f"np.group.{expression.value}")
    kind = speaker.word(expression.kind) if expression.kind else ""
    values = {"kind": kind, "kinds": plural(kind) if kind else "", "color": expression.color}
    if form.startswith("from_"):
        values["ordinal"] = ORDINALS[int(expression.value)]
    if expression.refs:
        values["head"] = _head(expression, kind)
        refs = [
            f"the {thing.color} {speaker.word(thing.kind)}"
            for thing in rng.sample(expression.refs, len(expression.refs))
        ]
        values |= dict(zip(("a", "b") if len(refs) > 1 else ("ref",), refs, strict=True))
    return speaker.phrase(f"np.{form}", values)


def _head(expression: Expression, kind: str) -> str:
    if expression.kind:
        return f"the {kind}"
    return f"the {expression.color} one" if expression.color else "the thing"


def indefinite(expression: Expression, speaker: Speaker) -> str:
    """What "is there …?" asks for: "a mug", "a red mug", "anything red"."""
    if expression.form == "color":
        return f"anything {expression.color}"
    return with_article(f"{expression.color} {speaker.word(expression.kind)}".strip())


def part_phrase(part: str, owner: str | None, speaker: Speaker) -> str:
    """A part of what `owner` says, or of what is talked about."""
    if owner is None:
        return speaker.phrase("np.part", {"part": speaker.word(part)})
    return speaker.phrase("np.part_of", {"part": speaker.word(part), "np": owner})
