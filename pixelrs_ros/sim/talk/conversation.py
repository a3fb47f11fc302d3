"""A conversation about one picture as it goes: what was shown and asked, and how a turn ends that says something."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.talk import replies
from pixelrs_ros.sim.talk.acts import ATTEMPTS, ENDS, MAX_SHOWN, STATUSES, TalkState
from pixelrs_ros.sim.talk.refer import ALL, Expression, Things, expressions, fits
from pixelrs_ros.sim.talk.saying import noun_phrase
from pixelrs_ros.sim.talk.turns import DialogueTurn, Target
from pixelrs_ros.sim.talk.voices import Speaker
from pixelrs_ros.types import Status


class NothingToSayError(Exception):
    """The act does not fit here."""


class Conversation:
    """A conversation about one picture, whose turns end as the scene and what was said before decide.

    Args:
        things: Everything visible.
        speaker: Whose words.
        rng: Every choice comes from it.
        width_px: The picture's width.
        mistakes: How often the robot shows something else than was asked for, which is not to be learned, in [0, 1].
    """

    def __init__(
        self, things: Sequence[Element], speaker: Speaker, rng: random.Random, width_px: float = 640.0,
        mistakes: float = 0.0,
    ) -> None:  # fmt: skip
        self._things = tuple(things)
        self._speaker = speaker
        self._rng = rng
        self._width_px = width_px
        self._mistakes = mistakes
        self._state = TalkState()
        self.turns: list[DialogueTurn] = []

    def _draw(
        self, forms: dict[str, float], things: Things, absent_in: Things | None = None,
        ends: tuple[float, float, float] = ENDS,
    ) -> Expression:  # fmt: skip
        """An expression: first its form, then how the turn shall end, then words that make it so."""
        rng = self._rng
        for form in rng.choices(list(forms), list(forms.values()), k=ATTEMPTS):
            found = [(one, fits(one, things)) for one in expressions(form, things, absent=True)]
            known = [
                (one, len(fit)) for one, fit in found if fit is not None and (form != "both.kind" or len(fit) in (0, 2))
            ]
            for status in rng.choices(STATUSES, ends, k=3):
                fitting = [one for one, count in known if ending(one, count) == status]
                if form == "color_kind" and status == Status.NOT_FOUND and rng.random() < 0.65:
                    fitting = _near_misses(fitting, absent_in or things) or fitting
                if fitting:
                    return rng.choice(fitting)
        raise NothingToSayError

    def _one_of_its_names(self, thing: Element) -> Expression:
        names = [
            Expression("color_kind", thing.kind, thing.color),
            Expression("kind", thing.kind),
            Expression("color", color=thing.color),
        ]
        exact = [name for name in names if fits(name, self._things) == (thing,)]
        return self._rng.choice(exact or names[:1])

    def _frame(self) -> str:
        return self._rng.choices(("order", "want", "show", "where", "bare"), (5, 2, 1.5, 1.2, 2.5))[0]

    def _order(
        self, expression: Expression, act: str, things: Things, *, words: str | None = None, sorry: bool = False
    ) -> None:
        """A turn that orders what an expression fits among things."""
        found = fits(expression, things)
        if found is None or (len(found) > MAX_SHOWN and expression.form in ALL):
            raise NothingToSayError
        if words is None:
            words = self._speaker.phrase(act, {"np": noun_phrase(expression, self._speaker, self._rng)})
        name = "order" if act in ("order", "want", "show", "where", "bare") else act
        kind = f"{name}.{expression.form}"
        if not found:
            self._answer(kind, words, replies.not_here(expression), Status.NOT_FOUND, order=True)
        elif len(found) == 1 or expression.form in ALL:
            wish = expression.value if expression.form == "wish" else ""
            self._show(
                found,
                None,
                kind,
                words,
                things if act == "narrow" else (),
                wish=wish,
                sorry=sorry,
                where=act == "where",
            )
        else:
            self._ask(kind, words, expression, found)

    def _show(
        self, things: Things, part: str | None, act: str, words: str, context: Things, *, wish: str = "",
        sorry: bool = False, where: bool = False,
    ) -> None:  # fmt: skip
        """Shows things, or now and then, where the user can set it right, another one."""
        state, rng = self._state, self._rng
        meant = things
        mistaken = (
            len(things) == 1 and part is None and not sorry and len(self._things) > 1 and rng.random() < self._mistakes
        )
        if mistaken:
            alike = [
                one
                for one in self._things
                if one != things[0] and (one.kind == things[0].kind or one.color == things[0].color)
            ]
            things = (rng.choice(alike or [one for one in self._things if one != things[0]]),)
        if where and len(things) == 1:
            answer = replies.located(things[0], part, self._width_px)
        else:
            answer = replies.grounded(things, part, rng, wish=wish, sorry=sorry)
        targets = tuple(Target(thing.object_id, part) for thing in replies.from_left(things))
        self._say(act, words, answer, Status.GROUNDED, targets=targets, order=True, learn=not mistaken)
        state.candidates = ()
        state.mistaken = meant[0] if mistaken else None
        if len(things) == 1:
            state.focus, state.part, state.context = things[0], part, context
            if state.shown[-1:] != [things[0]]:
                state.shown.append(things[0])
        else:
            state.focus, state.part, state.context = None, None, ()

    def _ask(self, act: str, words: str, expression: Expression | None, things: Things) -> None:
        self._answer(act, words, replies.which_one(expression, things), Status.CLARIFY, candidates=things, order=True)

    def _answer(
        self, act: str, words: str, answer: str, status: Status, *, candidates: Things = (), order: bool = False
    ) -> None:
        """A turn that shows nothing."""
        self._say(act, words, answer, status, candidates=candidates, order=order)
        state = self._state
        if status is Status.CLARIFY:
            state.candidates, state.focus, state.part, state.mistaken = candidates, None, None, None
        elif status is Status.NOT_FOUND and order and not state.candidates:
            state.mistaken = None

    def _say(
        self, act: str, words: str, answer: str, status: Status, *, targets: tuple[Target, ...] = (),
        candidates: Things = (), order: bool = False, learn: bool = True,
    ) -> None:  # fmt: skip
        said = self._speaker.utterance(words, order=order and act.partition(".")[0] not in ("wish", "narrow"))
        ids = tuple(thing.object_id for thing in candidates)
        self.turns.append(DialogueTurn(said, answer, status, act, targets, ids, learn=learn))


def ending(expression: Expression, count: int) -> Status:
    """How an order ends that `count` things fit."""
    if count == 0:
        return Status.NOT_FOUND
    return Status.GROUNDED if count == 1 or expression.form in ALL else Status.CLARIFY


def _near_misses(absent: Sequence[Expression], things: Things) -> list[Expression]:
    """Those whose color and kind are both there, though not together: the hardest to answer."""
    kinds, colors = {thing.kind for thing in things}, {thing.color for thing in things}
    return [one for one in absent if one.kind in kinds and one.color in colors]
