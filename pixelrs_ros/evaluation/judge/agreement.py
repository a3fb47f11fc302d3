"""How far judges agree: with each other, with themselves in another run, and with themselves in the other order."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

K = TypeVar("K", bound=Hashable)
Rating = int | str
Side = Literal["first", "second", "tie"]
Outcome = Literal["win", "loss", "tie"]

SWAPPED: dict[Side, Side] = {"first": "second", "second": "first", "tie": "tie"}


@dataclass(frozen=True)
class Agreement:
    """Of two raters about the items that both rated.

    Attributes:
        items: How many those are.
        same: Share of those with the same rating.
        kappa: Cohen's; None where it is undefined: without items, or where both always gave one and the same rating.
        weighted: The same with quadratic weights, for ratings that are numbers; else None.
    """

    items: int
    same: float | None
    kappa: float | None
    weighted: float | None


def agreement(first: Mapping[K, Rating], second: Mapping[K, Rating]) -> Agreement:
    """Of two raters.

    Args:
        first: Ratings by item.
        second: The other's.
    """
    items = sorted(first.keys() & second.keys(), key=repr)
    ones, others = [first[item] for item in items], [second[item] for item in items]
    if not items:
        return Agreement(0, None, None, None)
    numbers = all(isinstance(rating, int) for rating in (*ones, *others))
    same = sum(one == other for one, other in zip(ones, others, strict=True)) / len(items)
    return Agreement(len(items), same, _kappa(ones, others), _kappa(ones, others, "quadratic") if numbers else None)


def _kappa(ones: Sequence[Rating], others: Sequence[Rating], weights: str | None = None) -> float | None:
    from sklearn.metrics import cohen_kappa_score

    if len({*ones, *others}) == 1:
        return None  # chance alone would agree always
    labels = list(range(1, 6)) if isinstance(ones[0], int) else sorted({*ones, *others})
    return float(cohen_kappa_score(ones, others, labels=labels, weights=weights))


@dataclass(frozen=True)
class Duel:
    """Two speakers' answers to one dialogue, judged twice.

    Attributes:
        straight: The choice with speaker A first.
        swapped: The choice with speaker B first.
        picture: The dialogue's, for intervals.
    """

    straight: Side
    swapped: Side
    picture: str

    @property
    def is_consistent(self) -> bool:
        """Whether the order made no difference."""
        return self.straight == SWAPPED[self.swapped]

    @property
    def outcome(self) -> Outcome:
        """For speaker A; a tie also where the judge changed its mind with the order."""
        if not self.is_consistent or self.straight == "tie":
            return "tie"
        return "win" if self.straight == "first" else "loss"


@dataclass(frozen=True)
class DuelSummary:
    """Of all that two speakers were judged on in both orders.

    Attributes:
        duels: How many: a dialogue has one a seed.
        wins: Of speaker A, in both orders.
        losses: Likewise.
        ties: The rest.
        win_rate: Of speaker A, a tie counting half; None without a duel.
        interval: Its 95 % interval, by the bootstrap over pictures.
        consistent: Share of duels where the order made no difference.
        first_chosen: Share of choices, but for ties, that fell on whoever stood first: 0.5 without position bias;
            None where all were ties.
        orders: Agreement of the choices in one order with those in the other.
    """

    duels: int
    wins: int
    losses: int
    ties: int
    win_rate: float | None
    interval: tuple[float, float] | None
    consistent: float | None
    first_chosen: float | None
    orders: Agreement


def summarize_duels(duels: Sequence[Duel]) -> DuelSummary:
    """Win rate and position bias."""
    from pixelrs_ros.evaluation.metrics import bootstrap_interval

    outcomes = [duel.outcome for duel in duels]
    points = [{"win": 1.0, "tie": 0.5, "loss": 0.0}[outcome] for outcome in outcomes]
    decided = [side for duel in duels for side in (duel.straight, duel.swapped) if side != "tie"]
    return DuelSummary(
        duels=len(duels),
        wins=outcomes.count("win"),
        losses=outcomes.count("loss"),
        ties=outcomes.count("tie"),
        win_rate=sum(points) / len(points) if points else None,
        interval=bootstrap_interval(points, [duel.picture for duel in duels]) if points else None,
        consistent=sum(duel.is_consistent for duel in duels) / len(duels) if duels else None,
        first_chosen=decided.count("first") / len(decided) if decided else None,
        orders=agreement(
            {place: duel.straight for place, duel in enumerate(duels)},
            {place: SWAPPED[duel.swapped] for place, duel in enumerate(duels)},
        ),
    )
