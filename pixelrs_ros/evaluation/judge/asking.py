"""Puts questions to a judge, some at once, and keeps every answer as it comes, so that a run can be taken up again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from pixelrs_ros.endpoint.journal import Journal, key_of
from pixelrs_ros.errors import AnswerError, ConfigError, PixelrsError
from pixelrs_ros.evaluation.judge.talks import Talk, Talks
from pixelrs_ros.evaluation.judge.verdicts import Choice, Scores, pair_prompt, read_verdict, score_prompt


class Judge(Protocol):
    """A language model that judges.

    Attributes:
        identity: JSON types by which its answers are known again: its name, and all that changes what it says.
    """

    identity: Mapping[str, Any]

    def ask(self, prompt: str, wanted: type[BaseModel], seed: int) -> str:
        """Its answer, whatever that is; called from several threads.

        Raises:
            ConfigError: No question will ever be answered.
            PixelrsError: This one has no answer.
        """


@dataclass(frozen=True)
class Question:
    """One prompt and what it is about.

    Attributes:
        kind: What is asked for.
        speakers: Names of those whose answers it shows, in their order.
        dialogue: Place of the dialogue in its split.
        img_id: Its picture.
        words: `Talk.hashed` of what is shown, in that order.
        seed: For the judge.
        prompt: All that the judge reads.
    """

    kind: Literal["score", "pair"]
    speakers: tuple[str, ...]
    dialogue: int
    img_id: str
    words: tuple[str, ...]
    seed: int
    prompt: str

    @property
    def wanted(self) -> type[Scores] | type[Choice]:
        """What the answer has to be."""
        return Scores if self.kind == "score" else Choice

    def key(self, judge: Judge) -> str:
        """The same for the same words to the same judge."""
        return key_of(judge=dict(judge.identity), kind=self.kind, prompt=self.prompt, seed=self.seed)


@dataclass(frozen=True)
class Answer:
    """What became of a question.

    Attributes:
        question: The question.
        key: See `Question.key`.
        raw: The judge's words; None where none came.
        verdict: What they mean; None where they are no answer.
        error: Why there is no verdict; empty where there is one.
    """

    question: Question
    key: str
    raw: str | None
    verdict: Scores | Choice | None
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """All but the prompt, which its hash and the words' hashes tell."""
        about = {name: value for name, value in dataclasses.asdict(self.question).items() if name != "prompt"}
        verdict = self.verdict.model_dump() if self.verdict else None
        return {**about, "key": self.key, "raw": self.raw, "verdict": verdict, "error": self.error}


def score_questions(talks: Talks, seeds: Sequence[int]) -> list[Question]:
    """Asks for the scores of every dialogue, once a seed."""
    return [
        Question("score", (talks.name,), talk.dialogue, talk.img_id, (talk.hashed(),), seed, score_prompt(talk))
        for seed in seeds
        for talk in talks.all
    ]


def pair_questions(first: Talks, second: Talks, seeds: Sequence[int]) -> list[Question]:
    """Asks, in both orders, whose answers are better, for every dialogue in which both were asked the same."""
    others = {talk.dialogue: talk for talk in second.all}
    pairs = [(talk, other) for talk in first.all if (other := others.get(talk.dialogue)) and _same_task(talk, other)]
    return [
        Question("pair", names, one.dialogue, one.img_id, (one.hashed(), other.hashed()), seed, pair_prompt(one, other))
        for seed in seeds
        for pair in pairs
        for names, (one, other) in (
            ((first.name, second.name), pair),
            ((second.name, first.name), pair[::-1]),
        )
    ]


def _same_task(one: Talk, other: Talk) -> bool:
    return (one.img_id, one.target, one.before, one.asked) == (other.img_id, other.target, other.before, other.asked)


def put(
    questions: Iterable[Question],
    judge: Judge,
    kept: Mapping[str, str],
    journal: Path,
    *,
    at_once: int,
    on_progress: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Put questions to a judge.

    Args:
        questions: What is asked.
        judge: Is asked what is not known yet.
        kept: Raw answers of earlier runs, by key.
        journal: Every new answer is added to it at once, a line of JSON each.
        at_once: How many questions may be under way.
        on_progress: Called for each question that has an answer, or has failed.

    Returns:
        The answers, in the order of the questions. What could not be asked is an error too, and not in the journal:
        another run asks it again.

    Raises:
        ConfigError: The judge answers nothing; what it has answered is in the journal.
        DataError: The journal cannot be written.
    """
    asked = [(question, question.key(judge)) for question in questions]
    raw: dict[str, str] = {key: kept[key] for _, key in asked if key in kept}
    failed: dict[str, str] = {}
    new = {key: question for question, key in asked if key not in raw}
    for _ in range(len(asked) - len(new)):
        on_progress()
    with Journal(journal) as written, ThreadPoolExecutor(at_once) as pool:
        futures = {
            pool.submit(judge.ask, question.prompt, question.wanted, question.seed): key
            for key, question in new.items()
        }
        try:
            for future in as_completed(futures):
                key = futures[future]
                try:
                    raw[key] = future.result()
                except ConfigError:
                    raise
                except PixelrsError as error:
                    failed[key] = str(error)
                else:
                    written.keep(key, raw[key])
                on_progress()
        finally:
            for future in futures:
                future.cancel()
    return [_answer(question, key, raw.get(key), failed.get(key, "")) for question, key in asked]


def _answer(question: Question, key: str, raw: str | None, error: str) -> Answer:
    if raw is None:
        return Answer(question, key, None, None, error)
    try:
        return Answer(question, key, raw, read_verdict(raw, question.wanted))
    except AnswerError as nonsense:
        return Answer(question, key, raw, None, str(nonsense))
