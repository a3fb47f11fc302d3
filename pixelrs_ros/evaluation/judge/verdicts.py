"""What a judge is asked, and what its answer has to be; anything else is an error and never a score."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from string import Template
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pixelrs_ros.errors import AnswerError
from pixelrs_ros.evaluation.judge.talks import Talk

_QUOTED_LETTERS = 300

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
V = TypeVar("V", bound=BaseModel)
# Endpoints hold a model to a schema only if that forbids more; a judge that says more all the same says enough.
_EXACT = ConfigDict(strict=True, json_schema_extra={"additionalProperties": False})


class Rating(BaseModel):
    """One criterion's; the reason comes first, so that the number follows from it."""

    model_config = _EXACT

    reason: Reason
    # Many endpoints hold a model to a list of numbers, few to a range.
    score: Annotated[int, Field(ge=1, le=5, json_schema_extra={"enum": [1, 2, 3, 4, 5]})]


class Scores(BaseModel):
    """A dialogue's, by criterion."""

    model_config = _EXACT

    progressiveness: Rating
    logical_coherence: Rating
    content_consistency: Rating
    target_relevance: Rating


class Choice(BaseModel):
    """Between two dialogues, in the order in which they were shown."""

    model_config = _EXACT

    reason: Reason
    better: Literal["first", "second", "tie"]


CRITERIA = tuple(Scores.model_fields)


def score_prompt(talk: Talk) -> str:
    """Asks for `Scores`."""
    return _template("score").substitute(target=talk.meant, dialogue=talk.written())


def pair_prompt(first: Talk, second: Talk) -> str:
    """Asks for a `Choice` between two answers to the same user."""
    return _template("pair").substitute(target=first.meant, first=first.written(), second=second.written())


def prompt_hashes() -> dict[str, str]:
    """SHA-256 of the prompts' files, by name."""
    return {name: hashlib.sha256(_template(name).template.encode()).hexdigest() for name in ("score", "pair")}


@cache
def _template(name: str) -> Template:
    return Template((Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8"))


def read_verdict(raw: str, kind: type[V]) -> V:
    """A judge's answer.

    Words around the JSON object are allowed, since many models put it into a fence or think aloud first.

    Args:
        raw: As the judge gave it.
        kind: `Scores` or `Choice`.

    Raises:
        AnswerError: It holds no such object, or a number outside of 1 to 5, or no reason.
    """
    begin, end = raw.find("{"), raw.rfind("}")
    quoted = repr(raw if len(raw) <= _QUOTED_LETTERS else f"{raw[:_QUOTED_LETTERS]}…")
    if begin < 0 or end < begin:
        raise AnswerError(f"no JSON object; the judge said {quoted}")
    try:
        return kind.model_validate_json(raw[begin : end + 1])
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"])) or "the whole"
        raise AnswerError(f"{place}: {problem['msg']}; the judge said {quoted}") from error
