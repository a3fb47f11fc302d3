"""Walks down the reasoning tree: chooses the turns, keeps what the dialogue is about, and answers truly."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.talk.speech import plural, with_article
from pixelrs_ros.sim.talk.turns import Dialogue, DialogueTurn, Target
from pixelrs_ros.sim.talk.wishes import WISHES, wishes_for
from pixelrs_ros.sim.walk import answers
from pixelrs_ros.sim.walk.rates import MAX_QUESTIONS, MAX_SHOWN, REFERENCE_WEIGHTS, Rates
from pixelrs_ros.sim.walk.reasoning import PLACES, By, Reference, references, resolve
from pixelrs_ros.sim.walk.wording import FUNCTIONS, Speaker
from pixelrs_ros.types import Status


class DeadEndError(Exception):
    """No turn of the planned sort fits at this point of the walk."""


class Walk:
    """One walk from the root to the target: the dialogue so far, and the moves that are open.

    Args:
        elements: Everything visible.
        goal: The object at the end.
        part: Its part that is the target, or None for all of it.
        speaker: Whose words are used.
        rng: Every choice comes from it.
        rates: How often the rare turns come.
    """

    def __init__(
        self,
        elements: Sequence[Element],
        goal: Element,
        part: str | None,
        speaker: Speaker,
        rng: random.Random,
        rates: Rates,
    ) -> None:
        self._all = tuple(elements)
        self._goal = goal
        self._part = part
        self._speaker = speaker
        self._rng = rng
        self._rates = rates
        self._turns: list[DialogueTurn] = []
        self._candidates: tuple[Element, ...] = ()
        self._focus: Element | None = None
        self._wish: str | None = None
        self._hard: set[str] = set()
        self._questions = 0
        self._color_said = False
        self._kinds_left = {kind for kind, spec in KINDS.items() if part is None or part in spec.parts}

    def take(self, length: int) -> Dialogue:
        """Takes `length` turns from the root to the target.

        Raises:
            DeadEndError: The moves that were drawn do not lead there.
        """
        rng = self._rng
        left = length - 1
        if rng.random() < self._rates.question:
            left -= self._question()
        start = rng.random()
        change = False
        if start < self._rates.absent and left >= 2:
            left -= self._absent_opening()
        elif start < self._rates.absent + 0.26 and left >= 2 and len(self._all) > 1:
            left -= self._decoy(may_narrow=left >= 3)
            change = True
        left -= self._open(self._goal, change=change)
        while left > 0:
            left -= self._step(left)
        return self._finish()

    def _step(self, left: int) -> int:
        """One turn between the opening and the last."""
        ask, miss = self._rates.ask, self._rates.miss
        if self._focus is None:
            moves = {"narrow": 1.2, "stray": 1.2 if left > 1 else 0.5, "absent": miss, "question": ask}
        elif self._focus != self._goal:
            moves = {"correct": 3.0, "absent": miss if left > 1 else 0.0, "question": ask}
        else:
            moves = {
                "question": ask,
                "none": 0.8,
            }  # nothing is left to narrow: another walk is mostly better
        move = self._rng.choices(list(moves), list(moves.values()))[0]
        if move == "question" and self._questions < MAX_QUESTIONS:
            return self._question()
        if move == "narrow":
            return self._narrow(self._goal)
        if move == "stray":
            return self._narrow(self._another(self._candidates, self._goal))
        if move == "absent":
            return self._absent_narrowing()
        if move == "correct":
            return self._correct()
        raise DeadEndError

    # Openings -------------------------------------------------------------------------------------------------------

    def _open(self, goal: Element, *, change: bool) -> int:
        """Starts on something that the goal serves: a wish, or a plain want."""
        draw = self._rng.random()
        if draw < 0.76:
            return self._open_wish(goal, change=change)
        if draw < 0.84 and not change and goal == self._goal:
            return self._open_all(goal)
        if draw < 0.92 or change:
            return self._open_named(Reference("kind", goal.kind), "change.kind" if change else "open.kind")
        if draw < 0.985:
            return self._open_named(Reference("color", goal.color), "open.color")
        return self._open_named(Reference("full", goal.label), "open.full")

    def _open_wish(self, goal: Element, *, change: bool) -> int:
        names = [name for name in wishes_for(goal.kind) if name != self._wish]
        if not names:
            raise DeadEndError
        found = {name: resolve(Reference("wish", name), self._all) for name in names}
        name = self._rng.choices(names, [1.0 if len(found[name]) < 2 else 2.5 for name in names])[0]
        self._wish = name
        if not change and self._rng.random() < self._rates.two_wishes:
            return self._open_two_wishes(name)
        self._say(self._wish_words(name, change=change), "change" if change else "wish")
        self._settle(Reference("wish", name), found[name], answers.WISH_MET)
        return 1

    def _open_two_wishes(self, name: str) -> int:
        """Two wishes at once: what serves either is in question, and one thing for each is shown at once."""
        rng, speaker = self._rng, self._speaker
        first = resolve(Reference("wish", name), self._all)
        # The second does not serve the first's things, so that it stays plain which wish each thing is for.
        others = [other for other, wish in WISHES.items() if set(wish.kinds).isdisjoint(WISHES[name].kinds)]
        second_name = rng.choice(others)
        second = resolve(Reference("wish", second_name), self._all)
        names = rng.sample((name, second_name), 2)
        form = "idiom" if rng.random() < 0.5 else "do"
        self._tell_wish()
        said = [speaker.phrase(f"{each}.{form}").rstrip(".?!") for each in names]
        words = speaker.phrase(f"two.{form}", dict(zip(("first", "second"), said, strict=True)))
        self._say(speaker.phrase("wish.do", {"do": words}) if form == "do" else words, "wish", "two_wishes")
        found = tuple(item for item in self._all if item in first or item in second)
        if self._goal in found:
            self._kinds_left &= {*WISHES[name].kinds, *WISHES[second_name].kinds}
        if len(first) == len(second) == 1:
            self._show(found)
        else:
            self._take_up(found, answers.WISH_MET)
        return 1

    def _wish_words(self, name: str, *, change: bool) -> str:
        speaker = self._speaker
        self._tell_wish()
        if self._rng.random() < 0.35:
            idiom = speaker.phrase(f"{name}.idiom")
            return speaker.phrase("change.idiom", {"idiom": idiom}) if change else idiom
        return speaker.phrase("change.do" if change else "wish.do", {"do": speaker.phrase(f"{name}.do")})

    def _open_named(self, reference: Reference, slot: str) -> int:
        found = resolve(reference, self._all)
        self._wish = None
        self._say(self._speaker.phrase(slot, self._values(reference)), "change" if "change" in slot else "attribute")
        self._settle(reference, found, answers.SINGLED_OUT)
        return 1

    def _open_all(self, goal: Element) -> int:
        edges = [Reference("wish", name) for name in wishes_for(goal.kind)]
        edges += [Reference("kind", goal.kind), Reference("color", goal.color)]
        edges = [edge for edge in edges if 2 <= len(resolve(edge, self._all)) <= MAX_SHOWN]
        if not edges:
            raise DeadEndError
        edge = self._rng.choice(edges)
        found = list(resolve(edge, self._all))
        self._say(self._speaker.phrase(f"all.{edge.by}", self._values(edge)), "all")
        self._note(edge, found)
        self._wish = edge.value if edge.by == "wish" else None
        self._show(found)
        return 1

    def _decoy(self, *, may_narrow: bool) -> int:
        """Starts on something else, about which the user will change their mind."""
        decoy = self._another(self._all, self._goal)
        used = self._open(decoy, change=False)
        if may_narrow and self._focus is None and self._rng.random() < 0.5:
            used += self._narrow(decoy)
        return used

    def _absent_opening(self) -> int:
        if self._rng.random() < 0.3:
            kinds = {item.kind for item in self._all}
            names = [name for name, wish in WISHES.items() if kinds.isdisjoint(wish.kinds)]
            if not names:
                raise DeadEndError
            self._say(self._wish_words(self._rng.choice(names), change=False), "wish")
            self._answer(answers.NO_MEANS, Status.NOT_FOUND)
            return 1
        reference, hard = self._missing()
        action = reference.by != "color" and self._rng.random() < (0.5 if reference.by == "full" else 0.25)
        return self._miss(reference, "take" if action else f"open.{reference.by}", hard)

    def _missing(self) -> tuple[Reference, tuple[str, ...]]:
        """A kind, a color or both that fit nothing here, and what is hard about it."""
        rng = self._rng
        kinds, colors = {item.kind for item in self._all}, {item.color for item in self._all}
        if rng.random() < self._rates.unknown:
            kind = self._speaker.phrase("unknown")
            named = Reference("kind", kind)
            if rng.random() < 0.25:
                named = Reference("full", f"{rng.choice(list(COLORS))} {kind}")
            return named, ("unknown_kind",)
        ways: tuple[By, ...] = ("kind", "color", "full")
        by = rng.choices(ways, (0.35, 0.2, 0.45))[0]
        # A color and a kind that are both there, but not together, take the most care to tell from what is there.
        near_miss = {f"{color} {kind}" for color in colors for kind in kinds} - {item.label for item in self._all}
        values = {"kind": set(KINDS) - kinds, "color": set(COLORS) - colors, "full": near_miss}[by]
        if not values:
            raise DeadEndError
        return Reference(by, rng.choice(sorted(values))), ()

    def _miss(self, reference: Reference, slot: str, hard: tuple[str, ...]) -> int:
        self._say(self._speaker.phrase(slot, self._values(reference)), "absent", *hard)
        self._answer(answers.ABSENT, Status.NOT_FOUND)
        return 1

    # Turns in between -----------------------------------------------------------------------------------------------

    def _narrow(self, goal: Element) -> int:
        reference = self._draw(references(goal, self._candidates, None))
        found = resolve(reference, self._candidates)
        kind = "place" if reference.by in PLACES else "wish" if reference.by == "wish" else "attribute"
        self._say(self._speaker.phrase("narrow", self._values(reference)), kind)
        if reference.by == "wish":
            self._wish = reference.value
        self._settle(reference, found, answers.SINGLED_OUT)
        return 1

    def _absent_narrowing(self) -> int:
        slots = ("narrow", "narrow", "take") if self._focus is None else ("correction", "correction", "take")
        reference, hard = self._missing()
        return self._miss(reference, self._rng.choice(slots), hard)

    def _correct(self) -> int:
        reference = self._draw(self._exact_references())
        self._say(self._speaker.phrase("correction", self._values(reference)), "correction")
        self._mean(reference)
        self._focus = self._goal
        self._answer(self._rng.choice(answers.CORRECTED), Status.GROUNDED, [Target(self._goal.object_id)])
        return 1

    def _question(self) -> int:
        rng = self._rng
        self._questions += 1
        if self._turns:
            self._hard.add("question_between")
        kind = rng.choice([kind for kind in KINDS if kind != self._goal.kind])
        shown = [item.kind for item in self._all if item.kind != self._goal.kind]
        if shown and rng.random() < 0.5:
            kind = rng.choice(shown)
        elif rng.random() < self._rates.unknown:
            kind = self._speaker.phrase("unknown")
        color = rng.choice([color for color in COLORS if color != self._goal.color])
        of_kind = sum(item.kind == kind for item in self._all)
        any_color = any(item.color == color for item in self._all)
        slot, answer = rng.choice(
            (
                ("count_all", answers.counted(len(self._all))),
                ("count_kind", answers.counted(of_kind)),
                ("any_kind", answers.YES if of_kind else answers.NO),
                ("any_color", answers.YES if any_color else answers.NO),
                ("help", answers.HELP) if not self._turns else ("thanks", answers.THANKS),
            )
        )
        words = {"kind": kind, "kinds": plural(kind), "a_kind": with_article(kind), "color": color}
        self._say(self._speaker.phrase(f"question.{slot}", words), "question")
        self._answer(answer, Status.ANSWERED)
        return 1

    # The last turn --------------------------------------------------------------------------------------------------

    def _finish(self) -> Dialogue:
        goal, part = self._goal, self._part
        reference = Reference("it") if self._focus == goal else self._draw(self._exact_references())
        if reference.by in ("kind", "color") and self._rng.random() < self._rates.full:
            reference = Reference("full", goal.label)
        self._mean(reference)
        self._say(self._action_words(reference), "part" if part else "take")
        purpose = WISHES[self._wish].purpose if self._wish and goal.kind in WISHES[self._wish].kinds else None
        phrase = goal.part_label(part) if part else goal.label
        self._answer(answers.named(phrase, purpose, self._rng), Status.GROUNDED, [Target(goal.object_id, part)])
        alone = reference.by not in ("it", "other") and resolve(reference, self._all) == (goal,)
        is_named = self._color_said and len(self._kinds_left) == 1
        turns = tuple(map(self._spoken, self._turns))
        hard = tuple(sorted(self._hard.union(*(turn.hard for turn in turns))))
        return Dialogue(turns, purpose, ambiguous=not alone, is_named=is_named, hard=hard)

    def _action_words(self, reference: Reference) -> str:
        values = self._values(reference)
        if self._part is None:
            return self._speaker.phrase("take", values)
        values["part"] = self._part
        if self._rng.random() >= self._rates.named_part:
            return self._speaker.phrase(f"function.{FUNCTIONS[self._part]}", values)
        if reference.by in ("kind", "full") and self._rng.random() < self._rates.short:
            return self._speaker.phrase(f"part.{reference.by}", values)
        its = reference.by == "it" and self._rng.random() < 0.5
        return self._speaker.phrase("part.its" if its else "part.explicit", values)

    # Shared ---------------------------------------------------------------------------------------------------------

    def _another(self, among: Sequence[Element], goal: Element) -> Element:
        others = [item for item in among if item != goal]
        if not others:
            raise DeadEndError
        return self._rng.choice(others)

    def _exact_references(self) -> list[Reference]:
        edges = references(self._goal, self._candidates, self._focus)
        return [edge for edge in edges if resolve(edge, self._candidates, self._focus) == (self._goal,)]

    def _draw(self, edges: list[Reference]) -> Reference:
        edges = [edge for edge in edges if not (edge.by == "wish" and edge.value == self._wish)]
        if not edges:
            raise DeadEndError
        return self._rng.choices(edges, [REFERENCE_WEIGHTS[edge.by] for edge in edges])[0]

    def _values(self, reference: Reference) -> dict[str, str]:
        """What stands for each {name} in a phrasing that uses the reference."""
        by, value = reference.by, reference.value
        color, _, kind = value.rpartition(" ") if by == "full" else (value, "", value)
        values = {"color": color, "kind": kind, "kinds": plural(kind) if kind else ""}
        values |= {"a_kind": with_article(kind) if kind else "", "a_full": with_article(value) if value else ""}
        if by == "wish":
            self._tell_wish()
            values["rel"] = self._speaker.phrase(f"{value}.rel")
        values["np"] = self._speaker.phrase(f"np.{by}", values)
        return values

    def _mean(self, reference: Reference) -> None:
        """Takes over what a reference to the goal tells, and the wish where it names one."""
        self._note(reference, [self._goal])
        if reference.by == "wish":
            self._wish = reference.value

    def _note(self, reference: Reference, found: Sequence[Element]) -> None:
        """Keeps what the words alone say about the goal."""
        if self._goal not in found:
            return
        self._color_said |= reference.by in ("color", "full")
        if reference.by in ("kind", "full"):
            self._kinds_left &= {self._goal.kind}
        elif reference.by == "wish":
            self._kinds_left &= set(WISHES[reference.value].kinds)

    def _settle(self, reference: Reference, found: tuple[Element, ...], forms: Sequence[str]) -> None:
        """Answers a turn that chose `found`: a mask where it is one thing, a question back where it is more."""
        if not found:
            raise DeadEndError
        self._note(reference, found)
        self._take_up(found, forms)

    def _take_up(self, found: tuple[Element, ...], forms: Sequence[str]) -> None:
        if len(found) > 1:
            self._candidates, self._focus = found, None
            self._answer(answers.which_one(len(found), self._rng), Status.CLARIFY)
            self._turns[-1] = replace(self._turns[-1], candidates=tuple(item.object_id for item in found))
            return
        if self._focus is not None or found[0] not in self._candidates:
            self._candidates = found
        self._focus = found[0]
        self._answer(self._rng.choice(list(forms)), Status.GROUNDED, [Target(found[0].object_id)])

    def _tell_wish(self) -> None:
        if self._speaker.unheard_wishes:
            self._hard.add("unheard_wish")

    def _show(self, found: Sequence[Element]) -> None:
        """Answers with a mask for each, in an order that tells nothing."""
        self._candidates, self._focus = tuple(found), None
        shown = self._rng.sample(found, len(found))
        self._answer(answers.several(len(shown)), Status.GROUNDED, [Target(item.object_id) for item in shown])

    def _say(self, words: str, kind: str, *hard: str) -> None:
        self._turns.append(DialogueTurn(words, "", Status.ANSWERED, kind, hard=frozenset(hard)))

    def _spoken(self, turn: DialogueTurn) -> DialogueTurn:
        """A turn as it is uttered; kept for the end, because most walks lead nowhere."""
        said = self._speaker.utterance(turn.user)
        return replace(turn, user=said.text, hard=turn.hard | said.hard)

    def _answer(self, answer: str, status: Status, targets: Sequence[Target] = ()) -> None:
        self._turns[-1] = replace(self._turns[-1], answer=answer, status=status, targets=tuple(targets))
