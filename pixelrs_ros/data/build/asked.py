"""The three steps by a language model at an endpoint: it is asked for JSON, and held to the picture's labels."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, conlist, create_model
from pydantic_core import PydanticCustomError

from pixelrs_ros.data.build.rules import facts, shown
from pixelrs_ros.data.build.steps import Attributes, Seen, Thing, Way
from pixelrs_ros.data.prist import PristTurn
from pixelrs_ros.endpoint.endpoint import Endpoint

FOREIGN = "foreign"
_WORD = r"[^ \"\\\[\]<>{}\x00-\x1f]+"  # without brackets, in which models leave what they should have filled in
_QUESTION, _SENTENCE = "[?？]", "[.!?。！？]"  # what it ends on
_BY_LABEL = ("elements", "answers")  # what is told by label: another key there is the name of another thing


class AskingBuilder:
    """Asks a model.

    Args:
        endpoint: Of the model.
        vocabulary: Every label of the data set, case-folded: a text that names one which is not of the picture is
            refused.
        seed: Of every question.
        see: Whether the model is shown the pictures.
    """

    def __init__(self, endpoint: Endpoint, vocabulary: Collection[str], *, seed: int, see: bool) -> None:
        self._endpoint, self._vocabulary = endpoint, vocabulary
        self._seed, self._see = seed, see

    async def describe(self, seen: Seen) -> Attributes:
        """See `Builder.describe`."""
        words = conlist(self._words(seen, 4, refused=seen.labels), min_length=1, max_length=3)
        wanted = create_model("Described", __base__=_Strict, elements=(_by_label(seen.labels, words), ...))
        listed = "\n".join(f"- {thing.label}: {', '.join(facts(seen, thing))}" for thing in seen.things)
        answer: Any = await self._ask(seen, wanted, "elements", things=listed)
        return answer.elements.model_dump(by_alias=True)

    async def split(self, seen: Seen, known: Attributes, things: Sequence[Thing]) -> tuple[str, dict[str, str]]:
        """See `Builder.split`."""
        labels = [thing.label for thing in things]
        answers: Any = Annotated[_by_label(labels, self._words(seen, 5)), AfterValidator(_tell_apart)]
        wanted = create_model(
            "Question", __base__=_Strict, question=(self._words(seen, 16, end=_QUESTION), ...), answers=(answers, ...)
        )
        answer: Any = await self._ask(seen, wanted, "question", things=_listed(labels, known))
        return answer.question, answer.answers.model_dump(by_alias=True)

    async def talk(self, seen: Seen, known: Attributes, path: Way) -> tuple[PristTurn, ...]:
        """See `Builder.talk`."""
        words = self._words(seen, 20, end=_SENTENCE)
        label: Any = Literal.__getitem__(seen.labels)
        things = conlist(label, max_length=3)
        turn = create_model("Said", __base__=_Strict, user=(words, ...), answer=(words, ...), things=(things, ...))
        count = len(path.steps) + 1
        turns = conlist(turn, min_length=count, max_length=count)
        others = [label for label in seen.labels if label != path.label]

        def check(said: Any) -> Any:
            if _names(said[0].user, [path.label]):
                raise ValueError("the first turn names the target")
            if _names(said[-1].answer, others) and not _names(said[-1].answer, [path.label]):
                raise ValueError("the last answer is about another thing")
            return said

        told: Any = Annotated[turns, AfterValidator(check)]
        wanted = create_model("Talk", __base__=_Strict, turns=(told, ...))
        outline = "\n".join(
            f"{number}. {question} — {answer}" for number, (question, answer) in enumerate(path.steps, 1)
        )
        answer: Any = await self._ask(
            seen, wanted, "talk", things=_listed(seen.labels, known), outline=outline, target=path.label, count=count
        )
        *before, last = answer.turns
        return (
            *(PristTurn(each.user, each.answer) for each in before),
            PristTurn(last.user, f"{last.answer} {shown(path.label)}"),
        )

    async def _ask(self, seen: Seen, wanted: type[BaseModel], prompt: str, **values: object) -> BaseModel:
        text = _prompt(prompt).substitute(values)
        return await self._endpoint.ask(text, wanted, seed=self._seed, picture=seen.picture if self._see else None)

    def _words(self, seen: Seen, most: int, *, end: str = "", refused: Sequence[str] = ()) -> Any:
        """The type of a text of at most so many words that names no label of another picture and is not refused."""
        own = " ".join(seen.labels).casefold()
        others = [label for label in self._vocabulary if label not in own]
        bare = {label.casefold() for label in refused}

        def check(text: str) -> str:
            if not re.search(r"\w", text) or text.casefold() in bare:
                raise ValueError("expected words, and more than a name")
            if found := _names(text, others):
                raise PydanticCustomError(FOREIGN, "names {name}", {"name": found})
            return text

        pattern = rf"^{_WORD}( {_WORD}){{0,{most - 1}}}{end}$"
        return Annotated[str, Field(pattern=pattern), AfterValidator(check)]


def _names(text: str, labels: Iterable[str]) -> str:
    """The first of some labels that a text names; empty where it names none."""
    said = text.casefold()
    return next((label for label in labels if re.search(rf"\b{re.escape(label.casefold())}\b", said)), "")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def names_what_is_not_there(error: BaseException) -> bool:
    """Whether an answer was refused for a name that is none of the picture's labels."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return False
    return any(
        each["type"] in (FOREIGN, "literal_error")
        or (each["type"] == "extra_forbidden" and len(each["loc"]) > 1 and each["loc"][0] in _BY_LABEL)
        for each in cause.errors()
    )


def _by_label(labels: Sequence[str], kind: Any) -> Any:
    """A mapping with exactly these keys; a server that takes a schema can give no others."""
    fields: dict[str, Any] = {f"thing_{number}": (kind, Field(alias=label)) for number, label in enumerate(labels)}
    return create_model("ByLabel", __base__=_Strict, **fields)


def _tell_apart(answers: BaseModel) -> BaseModel:
    if len({str(answer).casefold() for answer in answers.model_dump().values()}) < 2:
        raise ValueError("all answers are the same")
    return answers


def _listed(labels: Sequence[str], known: Attributes) -> str:
    return "\n".join(f"- {label}: {', '.join(known.get(label, ()))}" for label in labels)


@cache
def _prompt(name: str) -> Template:
    return Template((Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8"))
