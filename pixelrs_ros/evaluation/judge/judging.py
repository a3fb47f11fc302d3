"""From what was said to all that `pixelrs judge` writes."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelrs_ros.endpoint.journal import read_journal
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.judge.asking import (
    Answer,
    Judge,
    Question,
    pair_questions,
    put,
    score_questions,
)
from pixelrs_ros.evaluation.judge.summary import (
    Run,
    compare_runs,
    read_judged,
    runs_of,
    summarize_pair,
    summarize_speaker,
)
from pixelrs_ros.evaluation.judge.talks import Talks
from pixelrs_ros.evaluation.judge.verdicts import prompt_hashes


@dataclass(frozen=True)
class Court:
    """Who judges, and how.

    Attributes:
        judge: Is asked.
        seeds: Everything is asked once with each.
        at_once: How many questions may be under way.
    """

    judge: Judge
    seeds: Sequence[int]
    at_once: int


def distinct(groups: Sequence[Sequence[Talks]]) -> list[list[Talks]]:
    """The same with names of which none occurs twice: those that do get their source.

    Raises:
        DataError: One and the same source is there twice.
    """
    names = Counter(talks.name for group in groups for talks in group)
    told = [
        [
            talks if names[talks.name] == 1 else dataclasses.replace(talks, name=f"{talks.name} ({talks.source})")
            for talks in group
        ]
        for group in groups
    ]
    name, count = Counter(talks.name for group in told for talks in group).most_common(1)[0]
    if count > 1:
        raise DataError(f"{name} is there {count} times; remedy: name each file once")
    return told


def pairs_of(groups: Sequence[Sequence[Talks]]) -> list[tuple[Talks, Talks]]:
    """Of each group after the first, everything with the first group's of the same split.

    Raises:
        DataError: A group has nothing to be compared with, or a pair no dialogue in which both were asked the same.
    """
    pairs = []
    for group in groups[1:]:
        found = [(first, second) for second in group for first in groups[0] if first.split == second.split]
        if not found:
            raise DataError(f"{group[0].source} and {groups[0][0].source} have no split in common")
        pairs += found
    for first, second in pairs:
        if not pair_questions(first, second, [0]):
            raise DataError(
                f"{first.name} and {second.name} were never asked the same; remedy: evaluate both under one condition "
                "and on one data set"
            )
    return pairs


def judge_words(
    groups: Sequence[Sequence[Talks]],
    court: Court | None,
    out: Path,
    others: Sequence[Path] = (),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Scores everything that was said.

    Args:
        groups: What each file holds, names distinct; those after the first are compared with the first.
        court: Who judges; None: nobody, and only what needs no judge is found.
        out: Where the result will be written; what an earlier run kept there and beside it is not asked again.
        others: What other judges said, as `pixelrs judge` wrote it, for their agreement.
        on_progress: Called with the number of answers so far and of all.

    Returns:
        JSON types: "judge" (identity, "prompts" by their SHA-256, "seeds"; None without one), "speakers"
        (`summarize_speaker`), "pairs" (`summarize_pair`), "agreement" (`compare_runs`) and "answers"
        (`Answer.to_json`).

    Raises:
        DataError: A file of another judge, or what is at `out`, is not what `pixelrs judge` writes; what is at `out`
            holds answers to other questions only, which would be lost; see `pairs_of`.
    """
    pairs = pairs_of(groups)
    speakers = [talks for group in groups for talks in group]
    runs = {path: runs_of(read_judged(path)["answers"]) for path in others}
    kept = _kept(out)
    questions: list[Question] = []
    answers: list[Answer] = []
    if court:
        questions = [question for talks in speakers for question in score_questions(talks, court.seeds)]
        questions += [question for pair in pairs for question in pair_questions(*pair, court.seeds)]
    if kept and not (court and any(question.key(court.judge) in kept for question in questions)):
        raise DataError(f"{out}: holds a judge's answers to other questions; remedy: another file, or move that one")
    if court:
        done = iter(range(1, len(questions) + 1))
        answers = put(
            questions, court.judge, kept, journal_of(out), at_once=court.at_once,
            on_progress=lambda: on_progress(next(done), len(questions)),
        )  # fmt: skip
    written = [answer.to_json() for answer in answers]
    named: dict[str, Run] = {f"seed {seed}": run for seed, run in runs_of(written).items()}
    named |= {f"{path.name}, seed {seed}": run for path, found in runs.items() for seed, run in found.items()}
    return {
        "judge": {**court.judge.identity, "prompts": prompt_hashes(), "seeds": list(court.seeds)} if court else None,
        "speakers": [summarize_speaker(talks, answers) for talks in speakers],
        "pairs": [summarize_pair(*pair, answers) for pair in pairs] if court else [],
        "agreement": compare_runs(named) if court else [],
        "answers": written,
    }


def journal_of(out: Path) -> Path:
    """Where answers are kept until the result is written."""
    return out.with_name(f"{out.name}.answers")


def _kept(out: Path) -> dict[str, str]:
    known = read_judged(out)["answers"] if out.is_file() else []
    return {each["key"]: each["raw"] for each in known if each["raw"] is not None} | read_journal(journal_of(out))
