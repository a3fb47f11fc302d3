"""What `pixelrs judge` found, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from pixelrs_ros.evaluation.judge.summary import CHOICE
from pixelrs_ros.evaluation.judge.verdicts import CRITERIA
from pixelrs_ros.evaluation.published import FIGURES, PRIST, PRIST_DIALOGUES, PRIST_FIGURES, PRIST_PICTURES

Found = Mapping[str, Any]

ERRORS_SHOWN = 5
_TEXT = (("exact match", "exact_match"), ("BLEU", "bleu"), ("ROUGE-1", "rouge_1"), ("ROUGE-L", "rouge_l"))
_PUBLISHED = (
    ("cIoU", "c_iou"), ("precision", "precision"), ("recall", "recall"), ("F1", "f1"), ("BLEU-4", "bleu"),
    ("ROUGE-L", "rouge_l"), *((name.replace("_", " "), name) for name in CRITERIA), ("win rate", "win_rate"),
)  # fmt: skip

_NOTE = (
    f"Published: the authors' figures for {PRIST_DIALOGUES} dialogues about {PRIST_PICTURES} pictures, by their own "
    "code and prompts, as a summary of the paper quotes them; we ran none of these networks. –: not measured here, or "
    "no source at hand gives it, as with the judge's four scores. Whom the published win rate is against is not said."
)


def tables(found: Found) -> list[Table]:
    """All that there is something to say in.

    Args:
        found: What `pixelrs judge` writes.
    """
    made = [_text_table(found["speakers"]), _scores_table(found["speakers"]), _pairs_table(found["pairs"])]
    made += [_agreement_table(found["agreement"]), _published_table(found["speakers"], found["pairs"])]
    return [table for table in made if table is not None]


def error_lines(found: Found) -> list[str]:
    """How many answers of the judge were none, and the first of them."""
    errors = [each for each in found["answers"] if each["error"]]
    if not errors:
        return []
    lines = [f"{len(errors)} of {len(found['answers'])} answers of the judge count for nothing:"]
    for each in errors[:ERRORS_SHOWN]:
        speakers = " against ".join(each["speakers"])
        lines.append(f"  {speakers}, dialogue {each['dialogue']}, seed {each['seed']}: {each['error']}")
    if len(errors) > ERRORS_SHOWN:
        lines.append(f"  … and {len(errors) - ERRORS_SHOWN} more in the file")
    return lines


def _text_table(speakers: Sequence[Found]) -> Table | None:
    rows = [speaker for speaker in speakers if speaker["text"]]
    if not rows:
        return None
    table = _table("answers against the data's, percent", ["", "dialogues", "answers", *(name for name, _ in _TEXT)])
    for speaker in rows:
        text = speaker["text"]
        scores = (_number(text[key], 1) for _, key in _TEXT)
        table.add_row(_title(speaker), str(speaker["dialogues"]), str(text["answers"]), *scores)
    table.caption = rows[0]["text"]["bleu_signature"]
    return table


def _scores_table(speakers: Sequence[Found]) -> Table | None:
    rows = [speaker for speaker in speakers if speaker["verdicts"] or speaker["errors"]]
    if not rows:
        return None
    names = [name.replace("_", " ") for name in CRITERIA]
    table = _table("as the judge sees it, 1 to 5", ["", *names, "verdicts", "no verdict"])
    for speaker in rows:
        cells = [_interval(speaker["scores"][name]) if speaker["scores"] else "–" for name in CRITERIA]
        table.add_row(_title(speaker), *cells, str(speaker["verdicts"]), str(speaker["errors"]))
    table.caption = "mean and 95 % interval (bootstrap over pictures)"
    return table


def _pairs_table(pairs: Sequence[Found]) -> Table | None:
    if not pairs:
        return None
    columns = ["", "against", "judged", "won / tied / lost", "win rate", "95 %", "same in both orders"]
    table = _table("who answers better, each asked in both orders", [*columns, "first chosen", "κ of orders", "errors"])
    for pair in pairs:
        low, high = pair["interval"] or (None, None)
        table.add_row(
            pair["first"], pair["second"], str(pair["duels"]), f"{pair['wins']} / {pair['ties']} / {pair['losses']}",
            _number(pair["win_rate"]), f"{_number(low)} to {_number(high)}", _number(pair["consistent"]),
            _number(pair["first_chosen"]), _number(pair["orders"]["kappa"]), str(pair["errors"]),
        )  # fmt: skip
    table.caption = (
        "won: in both orders; tied: as the judge says, or as it changes its mind with the order; a tie counts half. "
        "First chosen: share of choices for whoever stood first; 0.50 is without position bias"
    )
    return table


def _agreement_table(compared: Sequence[Found]) -> Table | None:
    if not any(each["agreement"] for each in compared):
        return None
    names = [name.replace("_", " ") for name in (*CRITERIA, CHOICE)]
    table = _table("agreement: κ (κ with quadratic weights), items", ["", "and", *names])
    for each in compared:
        cells = (_kappa(each["agreement"].get(name)) for name in (*CRITERIA, CHOICE))
        table.add_row(*each["runs"], *cells)
    table.caption = "Cohen's κ; –: undefined, as where both always say the same"
    return table


def _published_table(speakers: Sequence[Found], pairs: Sequence[Found]) -> Table | None:
    ours = [speaker for speaker in speakers if speaker["is_prist"] and speaker["split"] == FIGURES[PRIST].split]
    if not ours:
        return None
    table = _table("PRIST, test: percent, and the judge's 1 to 5", ["", "dialogues", *(name for name, _ in _PUBLISHED)])
    for speaker in ours:
        scores = {name: each["mean"] for name, each in (speaker["scores"] or {}).items()}
        own = {**speaker["masks"], **(speaker["text"] or {}), **scores, **_win_rate(speaker["name"], pairs)}
        cells = (_number(own.get(key)) for _, key in _PUBLISHED)
        table.add_row(_title(speaker), str(speaker["dialogues"]), *cells, style="bold")
    for name, figures in PRIST_FIGURES.items():
        cells = (_number(figures.get(key)) for _, key in _PUBLISHED)
        table.add_row(f"{name} (published)", str(PRIST_DIALOGUES), *cells)
    table.caption = _NOTE
    return table


def _win_rate(name: str, pairs: Sequence[Found]) -> dict[str, float]:
    """In percent, where it was judged against exactly one other."""
    rates = [pair["win_rate"] for pair in pairs if pair["first"] == name and pair["win_rate"] is not None]
    rates += [1 - pair["win_rate"] for pair in pairs if pair["second"] == name and pair["win_rate"] is not None]
    return {"win_rate": 100 * rates[0]} if len(rates) == 1 else {}


def _title(speaker: Found) -> str:
    return f"{speaker['name']}: {speaker['condition'] or 'the data itself'}"


def _table(about: str, columns: Sequence[str]) -> Table:
    table = Table(title=about)
    for name in columns:
        named = name in ("", "and", "against")
        table.add_column(name, justify="left" if named else "right", no_wrap=not named)
    return table


def _interval(score: Found) -> str:
    low, high = score["mean_95"]
    return f"{score['mean']:.2f} ({low:.2f}–{high:.2f})"


def _kappa(found: Found | None) -> str:
    if found is None:
        return ""
    weighted = "" if found["weighted"] is None else f" ({found['weighted']:.2f})"
    return f"{_number(found['kappa'])}{weighted}, {found['items']}"


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
