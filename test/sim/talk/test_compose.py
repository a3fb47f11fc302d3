"""Conversations whose every status the scene decides, and nothing but the scene."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.talk.acts import ACT_WEIGHTS
from pixelrs_ros.sim.talk.compose import Composer, conversations
from pixelrs_ros.sim.talk.refer import Expression
from pixelrs_ros.sim.talk.turns import DialogueTurn
from pixelrs_ros.sim.talk.voices import Speaker
from pixelrs_ros.training.simulated.run import imagined_things
from pixelrs_ros.types import Status

ORDERS = ("order", "narrow", "next", "change", "wish", "part_of", "correct")


def tables(count: int) -> Iterator[list[Element]]:
    rng = random.Random(7)
    for _ in range(count):
        yield imagined_things(rng)


def talks(num_tables: int, split: str = "val", each: int = 3) -> list[list[DialogueTurn]]:
    return [
        talk
        for number, things in enumerate(tables(num_tables))
        for talk in conversations(things, np.random.default_rng(number), count=each, split=split)
    ]


@pytest.fixture(scope="module")
def many() -> list[list[DialogueTurn]]:
    return talks(2_000)


def test_a_third_of_the_conversations_and_more_have_one_turn(many: list[list[DialogueTurn]]) -> None:
    lengths = Counter(len(talk) for talk in many)
    assert lengths[1] >= len(many) / 3 and set(lengths) == {1, 2, 3, 4, 5, 6}


def test_every_act_comes_at_every_place_where_it_can(many: list[list[DialogueTurn]]) -> None:
    seen = {(place, turn.kind.partition(".")[0]) for talk in many for place, turn in enumerate(talk, start=1)}
    acts = {act for stage in ACT_WEIGHTS.values() for act in stage}
    first = set(ACT_WEIGHTS["start"])
    for place in range(1, 5):
        missing = (acts if place > 1 else first) - {act for at, act in seen if at == place}
        assert missing <= ({"back"} if place == 2 else set()), (
            f"place {place}: {missing}"
        )  # back takes two shown things


@pytest.mark.parametrize("form", ["kind", "color", "color_kind"])
def test_orders_end_as_an_independent_count_says(form: str) -> None:
    ends: Counter[Status] = Counter()
    for number, things in enumerate(tables(60)):
        rng = random.Random(number)
        for _ in range(6):
            kind = rng.choice(list(KINDS)) if "kind" in form else ""
            color = rng.choice([thing.color for thing in things]) if "color" in form else ""
            if "kind" in form and rng.random() < 0.6:
                kind = rng.choice(things).kind
            turn = Composer(things, Speaker("val", rng), rng).say_order(Expression(form, kind, color))
            meant = [one for one in things if (not kind or one.kind == kind) and (not color or one.color == color)]
            expected = (Status.NOT_FOUND, Status.GROUNDED)[len(meant)] if len(meant) < 2 else Status.CLARIFY
            assert turn.status is expected, (turn, things)
            ids = tuple(one.object_id for one in meant)
            assert ids == (turn.candidates or tuple(target.object_id for target in turn.targets))
            assert turn.answer.count("[SEG]") == len(turn.targets) == (len(meant) == 1)
            ends[turn.status] += 1
    assert len(ends) == (2 if form == "color" else 3), ends


def test_masks_are_as_many_as_targets_and_name_them(many: list[list[DialogueTurn]]) -> None:
    for turn in (turn for talk in many for turn in talk):
        assert turn.answer.count("[SEG]") == turn.answer.count("[OBJ]") == len(turn.targets)
        assert (turn.status is Status.GROUNDED) == bool(turn.targets)
        assert turn.learn, "nobody errs outside of training"
        if turn.status is Status.CLARIFY:
            assert turn.candidates and "Which one do you mean?" in turn.answer


def test_the_robot_errs_in_training_only_and_its_errors_are_not_learned() -> None:
    turns = [turn for talk in talks(400, "train") for turn in talk]
    wrong = [turn for turn in turns if not turn.learn]
    assert 0.01 < len(wrong) / len(turns) < 0.1
    assert all(turn.status is Status.GROUNDED for turn in wrong)


def test_the_same_seed_says_the_same() -> None:
    assert talks(5) == talks(5)


def told(texts: list[str], ends: list[str]) -> tuple[float, float]:
    """What n-grams tell of how turns end that they have not seen, and the share of the commonest end."""
    cut = len(texts) * 4 // 5
    words = HashingVectorizer(ngram_range=(1, 3), n_features=2**18, token_pattern=r"\S+", alternate_sign=False)
    features, truth = words.transform(texts), np.array(ends)
    fitted = (
        SGDClassifier(loss="log_loss", alpha=alpha, average=True, random_state=0).fit(features[:cut], truth[:cut])
        for alpha in (1e-3, 1e-4, 1e-5)
    )
    reached = max(one.score(features[cut:], truth[cut:]) for one in fitted)
    return reached, max(Counter(ends[cut:]).values()) / len(ends[cut:])


def test_words_alone_do_not_tell_how_an_order_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Else the network would learn to guess from the words instead of looking.

    A classifier is given what a blind network has: the dialogue so far, the act and its place.
    """
    texts: list[str] = []
    answered: list[str] = []
    ends: list[str] = []
    for talk in talks(3_600, "train", each=1):
        said: list[str] = []
        for place, turn in enumerate(talk, start=1):
            act = turn.kind.partition(".")[0]
            said.append(f"u {turn.user.lower()}")
            if act in ORDERS and turn.learn:
                texts.append(" \n".join([*said, f"act_{act} place_{place} both_{act}_{place}"]))
                answered.append(f"{texts[-1]} {turn.answer.lower()}")
                ends.append(turn.status.name)
            said.append(f"r {turn.answer.lower()} {turn.status.name}")
    assert len(texts) >= 5_000
    (reached, share), (control, _) = (told(some[:5_000], ends[:5_000]) for some in (texts, answered))
    counts = dict(Counter(ends[:5_000]))
    with capsys.disabled():
        print(
            f"\n5000 orders, {counts}: words alone {reached:.3f}, majority {share:.3f}, with the answer {control:.3f}"
        )
    assert control > 0.9, "this classifier cannot even read the answer"
    assert reached <= share + 0.10
