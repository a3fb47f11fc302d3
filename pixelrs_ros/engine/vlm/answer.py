"""What the language model says in JSON: read while it grows, checked when it is whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any

import json_repair
from pydantic import AfterValidator, AliasChoices, BaseModel, Field, FiniteFloat, ValidationError, field_validator
from pydantic_core import from_json

from pixelrs_ros.errors import AnswerError
from pixelrs_ros.types import GroundedPhrase, Status

START = '{"say": "'  # every answer is made to begin so
_QUOTED = 400  # characters of nonsense in an error's message
_OBJECTS = re.compile(r'"objects"\s*:\s*\[')
_NO = ("", "false", "no", "none", "null")  # as models write it where a truth value was asked for
_ASK_DENIED = re.compile(rf'"ask"\s*:\s*(false|null|"({"|".join(_NO)})")', re.IGNORECASE)
_BROKEN = (ValueError, RecursionError)  # of JSON: of the wrong form, or nested deeper than a parser goes


def _sayable(text: str) -> str:
    """Text without what JSON can spell and no message can hold: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


Words = Annotated[str, AfterValidator(_sayable)]


class Named(BaseModel):
    """One thing, in the language model's own coordinates."""

    phrase: Words = Field(default="", validation_alias=AliasChoices("phrase", "label"))
    bbox_2d: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    point_2d: tuple[FiniteFloat, FiniteFloat] | None = None


class Said(BaseModel):
    """A whole answer. `objects`: None where nothing had to be shown, empty where it is not there."""

    say: Words = ""
    ask: bool | Words = False
    objects: list[Named] | None = None

    @field_validator("ask", mode="before")
    @classmethod
    def _denied(cls, value: Any) -> Any:
        return False if value is None or (isinstance(value, str) and value.strip().casefold() in _NO) else value

    @property
    def status(self) -> Status:
        """How the turn ends."""
        if self.ask:
            return Status.CLARIFY
        if self.objects is None:
            return Status.ANSWERED
        return Status.GROUNDED if self.objects else Status.NOT_FOUND

    @property
    def text(self) -> str:
        """The words for people; a question may stand in `ask` alone."""
        return (self.say.strip() or (self.ask if isinstance(self.ask, str) else "")).strip()


@dataclass
class GrowingAnswer:
    """An answer while it is being said.

    Attributes:
        raw: Everything so far.
        is_cut_off: Whether it ended because there was no room for more.
    """

    raw: str = START
    is_cut_off: bool = False

    @property
    def say(self) -> str:
        """The words for people so far."""
        try:
            said = from_json(self.raw, allow_partial="trailing-strings").get("say")
        except (ValueError, AttributeError):
            return ""
        return _sayable(said) if isinstance(said, str) else ""

    def named(self) -> list[dict[str, Any]]:
        """The things whose JSON is complete, as long as nothing speaks for a question.

        While `ask` has not been denied the answer may still turn out to ask back, and then shows nothing.
        """
        found: list[dict[str, Any]] = []
        begin = _OBJECTS.search(self.raw)
        if begin is None or not _ASK_DENIED.search(self.raw[: begin.start()]):
            return found
        place, decoder = begin.end(), json.JSONDecoder()
        while True:
            while place < len(self.raw) and self.raw[place] in " \t\r\n,":
                place += 1
            try:
                one, place = decoder.raw_decode(self.raw, place)
            except _BROKEN:
                return found
            found.append(one)

    @property
    def is_whole(self) -> bool:
        """Whether the outermost brace is closed."""
        if not self.raw.rstrip().endswith("}"):
            return False
        try:
            from_json(self.raw)
        except ValueError:
            return False
        return True

    def result(self) -> tuple[Said, str]:
        """The checked answer, and the JSON by which the dialogue remembers it.

        Raises:
            AnswerError: It is not what was asked for, and cannot be repaired to it.
        """
        try:
            content = from_json(self.raw)
            kept = self.raw
        except ValueError as error:
            if self.is_cut_off:
                raise AnswerError("it found no end; remedy: raise max_new_tokens") from error
            content = self._repaired()
            kept = _sayable(json.dumps(content, ensure_ascii=False))
        if isinstance(content, list):  # models that were trained to give nothing but boxes
            content = {"objects": content}
        try:
            said = Said.model_validate(content)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"])) or "the whole"
            raise AnswerError(f"{place}: {problem['msg']}") from error
        if not said.text and not said.objects:
            raise AnswerError("it neither says nor shows anything")
        return said, kept

    def _repaired(self) -> Any:
        try:
            return json_repair.loads(self.raw)
        except _BROKEN as error:
            raise AnswerError("its JSON cannot be mended") from error

    def quoted(self) -> str:
        """The words for a message, cut where they are long."""
        more = f"… ({len(self.raw)} characters)" if len(self.raw) > _QUOTED else ""
        return f"the language model said {self.raw[:_QUOTED]!r}{more}"


def remembered(said: Said) -> str:
    """The JSON by which a dialogue remembers an answer."""
    content = said.model_dump(exclude_none=True)
    return json.dumps(content, ensure_ascii=False)


def phrase_ranges(text: str, phrases: list[str]) -> tuple[GroundedPhrase, ...]:
    """Where in a text the phrases stand, in their order, none of them twice at one place.

    A phrase that does not stand there takes the whole text: all that is known is that the sentence is about it.
    """
    taken: list[tuple[int, int]] = []
    ranges = []
    for index, phrase in enumerate(phrases):
        word = re.escape(phrase.strip())
        places = re.finditer(rf"(?<!\w){word}(?!\w)", text, re.IGNORECASE) if word else ()
        free = (place.span() for place in places if not any(place.start() < e and b < place.end() for b, e in taken))
        begin, end = next(free, (0, len(text)))
        if (begin, end) != (0, len(text)):
            taken.append((begin, end))
        ranges.append(GroundedPhrase(begin, end, index))
    return tuple(ranges)
