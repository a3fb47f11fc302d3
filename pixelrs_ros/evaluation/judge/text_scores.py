"""Answers against the data's, by what needs no judge: exact match, BLEU (sacreBLEU) and ROUGE (TorchMetrics)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextScores:
    """Of all answers together, in percent.

    Attributes:
        answers: How many there are.
        exact_match: Share of those that are the data's, but for case and white space.
        bleu: BLEU-4 of the corpus.
        rouge_1: Mean F1 of single words.
        rouge_l: Mean F1 of the longest common subsequence.
        bleu_signature: How sacreBLEU computed it, for others to compare with.
    """

    answers: int
    exact_match: float
    bleu: float
    rouge_1: float
    rouge_l: float
    bleu_signature: str


def score_texts(said: Sequence[str], wanted: Sequence[str]) -> TextScores:
    """Score answers.

    Args:
        said: At least one.
        wanted: The data's answer to each.

    Raises:
        ValueError: There is none, or not one of each.
    """
    from sacrebleu.metrics import BLEU
    from torchmetrics.functional.text import rouge_score

    if not said or len(said) != len(wanted):
        raise ValueError(f"need as many answers as the data has, and at least one, got {len(said)} and {len(wanted)}")
    bleu = BLEU()
    rouge = rouge_score(list(said), list(wanted), rouge_keys=("rouge1", "rougeL"))
    same = sum(_plain(one) == _plain(other) for one, other in zip(said, wanted, strict=True))
    return TextScores(
        answers=len(said),
        exact_match=100 * same / len(said),
        bleu=float(bleu.corpus_score(list(said), [list(wanted)]).score),
        rouge_1=100 * float(rouge["rouge1_fmeasure"]),
        rouge_l=100 * float(rouge["rougeL_fmeasure"]),
        bleu_signature=str(bleu.get_signature()),
    )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
