"""Composes conversations: acts × expressions × what was said before. Only the scene decides how a turn ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.talk import replies
from pixelrs_ros.sim.talk.acts import (
    ACT_WEIGHTS,
    ATTEMPTS,
    FORM_WEIGHTS,
    HOLLOW,
    LENGTHS,
    MISTAKE_RATE,
    NARROWING_WEIGHTS,
    USES,
)
from pixelrs_ros.sim.talk.conversation import Conversation, NothingToSayError
from pixelrs_ros.sim.talk.refer import SIDES, Expression, fits
from pixelrs_ros.sim.talk.saying import indefinite, noun_phrase, part_phrase
from pixelrs_ros.sim.talk.speech import plural
from pixelrs_ros.sim.talk.turns import DialogueTurn
from pixelrs_ros.sim.talk.voices import Speaker
from pixelrs_ros.types import Status


class Composer(Conversation):
    """Composes a conversation about one picture of acts, each of them a method: see `Conversation`."""

    def converse(self, length: int) -> list[DialogueTurn]:
        """Takes `length` turns; fewer where nothing more can be said."""
        while len(self.turns) < length:
            acts = {"correct": 3.0, "reject": 1.0} if self._state.mistaken else ACT_WEIGHTS[self._state.stage]
            if not any(self.take(act) for act in self._drawn(acts)):
                break
        return self.turns

    def take(self, act: str) -> bool:
        """Takes a turn of one act; whether it fits here."""
        try:
            _MOVES[act](self)
        except NothingToSayError:
            return False
        return True

    def say_order(self, expression: Expression, act: str = "order") -> DialogueTurn:
        """Takes a turn that orders what an expression fits."""
        self._order(expression, act, self._things)
        return self.turns[-1]

    def _drawn(self, acts: dict[str, float]) -> list[str]:
        return self._rng.choices(list(acts), list(acts.values()), k=ATTEMPTS)

    # Orders ---------------------------------------------------------------------------------------------------------

    def order(self) -> None:
        """Orders something."""
        self._order(self._draw(FORM_WEIGHTS, self._things), self._frame(), self._things)

    def next(self) -> None:
        """Goes on to something else."""
        self._order(self._draw(FORM_WEIGHTS, self._things), "next", self._things)

    def change(self) -> None:
        """Wants something else instead."""
        self._order(self._draw(FORM_WEIGHTS, self._things), "change", self._things)

    def narrow(self) -> None:
        """Answers a question back."""
        candidates = self._state.candidates
        expression = self._draw(NARROWING_WEIGHTS, candidates, absent_in=self._things)
        found = fits(expression, candidates)
        if not found and expression.kind and fits(expression, self._things):
            raise NothingToSayError  # that would be a new order, not an answer to the question
        self._order(expression, "narrow", candidates)

    def correct(self) -> None:
        """Says that something else was meant."""
        state = self._state
        if state.focus is None:
            raise NothingToSayError
        if state.mistaken is not None:
            expression = self._one_of_its_names(state.mistaken)
        else:
            expression = self._draw(
                {form: FORM_WEIGHTS[form] for form in ("kind", "color", "color_kind")}, self._things
            )
        part = state.part
        if part is not None and self._rng.random() < 0.5:
            return self._other_part()
        self._order(expression, "correct", self._things, sorry=True)
        return None

    def wish(self) -> None:
        """Says what for, and leaves it to the robot with what."""
        expression = self._draw({"wish": 1.0}, self._things)
        self._order(expression, "wish", self._things, words=self._speaker.phrase(f"wish.{expression.value}"))

    def unknown(self) -> None:
        """Orders something that the robot knows nothing of."""
        noun = self._speaker.phrase("unknown")
        if self._rng.random() < 0.3:
            noun = f"{self._rng.choice(self._things).color} {noun}"
        words = self._speaker.phrase(self._frame(), {"np": f"the {noun}"})
        self._answer("unknown", words, replies.NOT_HERE, Status.NOT_FOUND, order=True)

    def pronoun(self) -> None:
        """Orders "it" when nothing is talked about."""
        words = self._speaker.phrase("order", {"np": self._speaker.phrase("np.it")})
        self._answer("pronoun", words, replies.REJECTED, Status.CLARIFY, candidates=self._things, order=True)

    def order_it(self) -> None:
        """Orders what was shown."""
        state = self._state
        if state.focus is None:
            raise NothingToSayError
        words = self._speaker.phrase("order_it")
        if self._rng.random() < 0.3:
            words = self._speaker.phrase(self._frame(), {"np": self._speaker.phrase("np.it")})
        self._show((state.focus,), state.part, "order_it", words, state.context)

    def other(self) -> None:
        """Orders another one."""
        state = self._state
        if state.focus is None:
            raise NothingToSayError
        rest = tuple(thing for thing in state.context if thing != state.focus)
        if len(state.context) < 2:
            rest = tuple(thing for thing in self._things if thing.kind == state.focus.kind and thing != state.focus)
        words = self._speaker.phrase(
            self._rng.choice(("order", "next", "bare")), {"np": self._speaker.phrase("np.other")}
        )
        if not rest:
            self._answer("other", words, replies.NO_OTHER, Status.NOT_FOUND, order=True)
        elif len(rest) == 1:
            self._show(rest, None, "other", words, (state.focus, *rest))
        else:
            self._ask("other", words, None, rest)

    def back(self) -> None:
        """Goes back to what was shown before."""
        state = self._state
        if len(state.shown) < 2 or state.mistaken is not None:
            raise NothingToSayError
        self._show((state.shown[-2],), None, "back", self._speaker.phrase("back"), ())

    # Parts ----------------------------------------------------------------------------------------------------------

    def part(self) -> None:
        """Asks for a part of what was shown."""
        state = self._state
        if state.focus is None:
            raise NothingToSayError
        part, phrase = self._choose_part(state.focus, None)
        self._part_turn(state.focus, part, phrase, "part")

    def part_of(self) -> None:
        """Asks for a part and says of what."""
        expression = self._draw(
            {"kind": 2.0, "color_kind": 4.0, "color": 1.0, "left.kind": 0.3, "right.kind": 0.3}, self._things
        )
        found = fits(expression, self._things) or ()
        owner = noun_phrase(expression, self._speaker, self._rng)
        parts = KINDS[expression.kind].parts if expression.kind else ("handle",)
        part = self._rng.choice(parts)
        if len(found) == 1:
            part, phrase = self._choose_part(found[0], owner)
            return self._part_turn(found[0], part, phrase, "part_of")
        words = self._part_words(part_phrase(part, owner, self._speaker))
        if not found:
            return self._answer("part_of", words, replies.not_here(expression), Status.NOT_FOUND, order=True)
        return self._ask("part_of", words, expression, found)

    def part_alone(self) -> None:
        """Asks for a part with nothing said before, "the handle"."""
        parts = sorted({part for thing in self._things for part in KINDS[thing.kind].parts} - {"body"})
        if not parts:
            raise NothingToSayError
        part = self._rng.choice(parts)
        owners = tuple(thing for thing in self._things if part in KINDS[thing.kind].parts)
        if any(part not in thing.parts for thing in owners):
            raise NothingToSayError
        phrase = self._speaker.phrase("np.part", {"part": self._speaker.word(part)})
        if len(owners) == 1:
            return self._part_turn(owners[0], part, phrase, "part_alone")
        return self._ask("part_alone", self._part_words(phrase), None, owners)

    def _other_part(self) -> None:
        focus = self._state.focus
        assert focus is not None
        parts = [part for part in focus.parts if part != self._state.part]
        if len(KINDS[focus.kind].parts) < 2 or not parts or self._state.mistaken is not None:
            raise NothingToSayError
        part = self._rng.choice(parts)
        words = self._speaker.phrase("correct", {"np": self._part_name(focus, part, None)})
        self._show((focus,), part, "correct", words, self._state.context, sorry=True)

    def _choose_part(self, thing: Element, owner: str | None) -> tuple[str, str]:
        """A part, mostly one that the thing has, and what it is called."""
        rng = self._rng
        own = KINDS[thing.kind].parts
        if rng.random() < 0.2:
            others = sorted(
                {part for kind in KINDS.values() for part in kind.parts}
                - set(own)
                - {"body", "head", "base", "cover", "shaft"}
            )
            part = rng.choice(others)
            return part, part_phrase(part, owner, self._speaker)
        seen = [part for part in own if part in thing.parts and (len(own) > 1 or part != "body")]
        if not seen:
            raise NothingToSayError
        part = rng.choice(seen)
        return part, self._part_name(thing, part, owner)

    def _part_name(self, thing: Element, part: str, owner: str | None) -> str:
        by_use = part in USES and (part != "body" or thing.kind in HOLLOW)
        if by_use and self._rng.random() < (0.35 if owner is None else 0.2):
            use = self._speaker.phrase(USES[part])
            return use if owner is None else f"{use} {self._rng.choice(('on', 'of'))} {owner}"
        if part == "body":
            if thing.kind not in HOLLOW:
                raise NothingToSayError
            return part_phrase("inside", owner, self._speaker)
        return part_phrase(part, owner, self._speaker)

    def _part_words(self, phrase: str) -> str:
        return self._speaker.phrase(
            self._rng.choice(("part_order", "part_order", "show", "where", "order", "bare")), {"np": phrase}
        )

    def _part_turn(self, thing: Element, part: str, phrase: str, act: str) -> None:
        words = self._part_words(phrase)
        if part not in KINDS[thing.kind].parts:
            return self._answer(act, words, replies.no_part(thing, part), Status.NOT_FOUND, order=True)
        if part not in thing.parts:
            raise NothingToSayError  # it is hidden, so the scene does not decide the answer
        context = self._state.context if thing == self._state.focus else ()
        return self._show((thing,), part, act, words, context)

    # Questions and talk ---------------------------------------------------------------------------------------------

    def is_there(self) -> None:
        """Asks whether there is something."""
        expression = self._draw({"kind": 3.0, "color": 1.0, "color_kind": 2.0}, self._things, ends=(0.35, 0.15, 0.5))
        words = self._speaker.phrase("q.is_there", {"a_np": indefinite(expression, self._speaker)})
        self._answer(
            "is_there", words, replies.there(expression, fits(expression, self._things) or ()), Status.ANSWERED
        )

    def what(self) -> None:
        """Asks what there is."""
        self._answer("what", self._speaker.phrase("q.what"), replies.scene(self._things), Status.ANSWERED)

    def color_of(self) -> None:
        """Asks for a color."""
        expression = self._draw({"kind": 1.0}, self._things, ends=(0.6, 0.2, 0.2))
        found = fits(expression, self._things) or ()
        words = self._speaker.phrase("q.color", {"kind": self._speaker.word(expression.kind)})
        if not found:
            return self._answer("color_of", words, replies.not_here(expression), Status.NOT_FOUND)
        return self._answer("color_of", words, replies.color_of(found), Status.ANSWERED)

    def count(self) -> None:
        """Asks how many of a kind there are."""
        expression = self._draw({"kind": 1.0}, self._things, ends=(0.4, 0.4, 0.2))
        words = self._speaker.phrase("q.count", {"kinds": plural(self._speaker.word(expression.kind))})
        self._answer("count", words, replies.counted(len(fits(expression, self._things) or ())), Status.ANSWERED)

    def count_all(self) -> None:
        """Asks how many things there are."""
        self._answer(
            "count_all", self._speaker.phrase("q.count_all"), replies.counted(len(self._things)), Status.ANSWERED
        )

    def what_side(self) -> None:
        """Asks what stands at one side."""
        side = self._rng.choice(list(SIDES))
        found = fits(Expression(side), self._things)
        if not found:
            raise NothingToSayError
        self._answer("what_side", self._speaker.phrase(f"q.what_{side}"), replies.that_is(found[0]), Status.ANSWERED)

    def confirm(self) -> None:
        """Says that it was right."""
        if self._state.stage == "shown":
            return self._answer("confirm", self._speaker.phrase("confirm"), replies.CONFIRMED, Status.ANSWERED)
        return self._answer("confirm", self._speaker.phrase("confirm"), replies.GREETING, Status.ANSWERED)

    def reject(self) -> None:
        """Says that it was wrong, and nothing more."""
        state = self._state
        words = self._speaker.phrase("reject")
        rest = tuple(thing for thing in state.context or self._things if thing != state.focus)
        rest = rest or tuple(thing for thing in self._things if thing != state.focus)
        self._answer("reject", words, replies.REJECTED, Status.CLARIFY, candidates=rest)

    def _talk(self, act: str, answer: str) -> None:
        self._answer(act, self._speaker.phrase(act), answer, Status.ANSWERED)


_MOVES: dict[str, Callable[[Composer], None]] = {
    **{
        name: getattr(Composer, name)
        for name in (
            "order", "next", "change", "narrow", "correct", "wish", "unknown", "pronoun", "order_it", "other", "back",
            "part", "part_of", "part_alone", "is_there", "what", "color_of", "count", "count_all", "what_side",
            "confirm", "reject",
        )
    },
    "greet": lambda self: self._talk("greet", replies.GREETING),
    "thanks": lambda self: self._talk("thanks", replies.THANKS),
    "bye": lambda self: self._talk("bye", replies.BYE),
    "help": lambda self: self._talk("help", replies.HELP),
    "smalltalk": lambda self: self._talk("smalltalk", replies.SMALL_TALK),
    "nonsense": lambda self: self._talk("nonsense", replies.NONSENSE),
}  # fmt: skip


def conversations(
    things: Sequence[Element], rng: np.random.Generator, *, count: int, split: str, width_px: float = 640.0
) -> Iterator[list[DialogueTurn]]:
    """Conversations about one picture, composed as they are asked for.

    Args:
        things: What is visible in it.
        rng: Every choice comes from it.
        count: How many.
        split: Whose voices; in "train" the robot is now and then made to err, in turns that are not to be learned.
        width_px: The picture's width.
    """
    quick = random.Random(int(rng.integers(2**62)))  # numpy's scalar draws are ten times slower
    for _ in range(count):
        length = quick.choices(*LENGTHS)[0]
        mistakes = MISTAKE_RATE if split == "train" else 0.0
        composer = Composer(things, Speaker(split, quick), quick, width_px, mistakes)
        if turns := composer.converse(length):
            yield turns
