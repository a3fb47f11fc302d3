"""Sums up what was said and what judges made of it, as JSON types."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.judge.agreement import Duel, Rating, agreement, summarize_duels
from pixelrs_ros.evaluation.judge.asking import Answer
from pixelrs_ros.evaluation.judge.talks import Talks
from pixelrs_ros.evaluation.judge.text_scores import score_texts
from pixelrs_ros.evaluation.judge.verdicts import CRITERIA, Choice, Scores
from pixelrs_ros.evaluation.metrics import bootstrap_interval

MASK_SCORES = ("c_iou", "precision", "recall", "f1")
CHOICE = "choice"  # between two, beside `CRITERIA`
Run = Mapping[str, Mapping[tuple[str, ...], Rating]]  # ratings by criterion, and by what was rated


def summarize_speaker(talks: Talks, answers: Iterable[Answer]) -> dict[str, Any]:
    """What one speaker's words are worth.

    Args:
        talks: All that it said.
        answers: The judge's, about anything.

    Returns:
        Of the speaker the "name", "split", "source", "condition", "is_prist", how many "dialogues" and "pictures"; its
        "text" (`TextScores`; None for the data's own answers) and "masks" in percent; and of the judge's verdicts
        how many there are ("verdicts"), how many answers were none ("errors"), and by criterion the "mean", its 95 %
        interval ("mean_95", bootstrap over pictures) and how often each number was given ("given").
    """
    about = [each for each in answers if each.question.speakers == (talks.name,)]
    verdicts = [(each.question.img_id, each.verdict) for each in about if isinstance(each.verdict, Scores)]
    pairs = [pair for talk in talks.all for pair in zip(talk.answers, talk.wanted, strict=False)]
    return {
        "name": talks.name,
        "split": talks.split,
        "source": talks.source,
        "condition": talks.condition,
        "is_prist": talks.is_prist,
        "dialogues": len(talks.all),
        "pictures": talks.pictures,
        "text": dataclasses.asdict(score_texts(*zip(*pairs, strict=True))) if pairs else None,
        "masks": {name: 100 * score for name in MASK_SCORES if (score := talks.scores.get(name)) is not None},
        "verdicts": len(verdicts),
        "errors": len(about) - len(verdicts),
        "scores": {name: _criterion(name, verdicts) for name in CRITERIA} if verdicts else None,
    }


def _criterion(name: str, verdicts: Sequence[tuple[str, Scores]]) -> dict[str, Any]:
    given = [int(getattr(verdict, name).score) for _, verdict in verdicts]
    counts = Counter(given)
    return {
        "mean": float(np.mean(given)),
        "mean_95": list(bootstrap_interval([float(one) for one in given], [picture for picture, _ in verdicts])),
        "given": {str(number): counts[number] for number in range(1, 6)},
    }


def summarize_pair(first: Talks, second: Talks, answers: Iterable[Answer]) -> dict[str, Any]:
    """Who of two answered better: `DuelSummary` for the "first", with how many of its questions failed ("errors").

    A dialogue of which one order has no verdict counts in neither.
    """
    names = (first.name, second.name)
    choices: dict[tuple[int, int], dict[bool, Answer]] = {}
    for each in answers:
        question = each.question
        if question.kind == "pair" and set(question.speakers) == set(names):
            choices.setdefault((question.dialogue, question.seed), {})[question.speakers == names] = each
    duels = [
        Duel(straight.verdict.better, swapped.verdict.better, straight.question.img_id)
        for both in choices.values()
        if isinstance((straight := both[True]).verdict, Choice) and isinstance((swapped := both[False]).verdict, Choice)
    ]
    errors = sum(each.verdict is None for both in choices.values() for each in both.values())
    summary = dataclasses.asdict(summarize_duels(duels))
    return {"first": first.name, "second": second.name, "split": first.split, **summary, "errors": errors}


def runs_of(answers: Iterable[Mapping[str, Any]]) -> Mapping[int, Run]:
    """The ratings of each seed, of answers as `Answer.to_json` writes them."""
    runs: dict[int, dict[str, dict[tuple[str, ...], Rating]]] = {}
    for each in answers:
        run = runs.setdefault(each["seed"], {})
        verdict, words = each["verdict"], (each["kind"], *each["words"])
        if verdict and each["kind"] == "pair":
            run.setdefault(CHOICE, {})[words] = verdict["better"]
        elif verdict:
            for name in CRITERIA:
                run.setdefault(name, {})[words] = verdict[name]["score"]
    return runs


def compare_runs(runs: Mapping[str, Run]) -> list[dict[str, Any]]:
    """How far the first run agrees with each other one: `Agreement` by criterion, and of the choices."""
    (name, first), *others = runs.items()
    return [
        {
            "runs": [name, other],
            "agreement": {
                criterion: dataclasses.asdict(agreement(first.get(criterion, {}), second.get(criterion, {})))
                for criterion in (*CRITERIA, CHOICE)
                if criterion in first and criterion in second
            },
        }
        for other, second in others
    ]


def read_judged(path: Path) -> dict[str, Any]:
    """What `pixelrs judge --out` wrote.

    Raises:
        DataError: It is not that.
    """
    content = load_json(path)
    if not isinstance(content, dict) or not {"judge", "answers"} <= content.keys():
        raise DataError(f"{path}: not what `pixelrs judge --out {path.name}` writes")
    return content
