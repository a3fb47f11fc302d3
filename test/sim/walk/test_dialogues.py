import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.talk.speech import Habits
from pixelrs_ros.sim.talk.wishes import WISHES, wishes_for
from pixelrs_ros.sim.walk import wording
from pixelrs_ros.sim.walk.answers import NUMBERS
from pixelrs_ros.sim.walk.dialogues import Dialogue, sample_dialogues
from pixelrs_ros.sim.walk.reasoning import MIN_MARGIN_PX, Reference, references, resolve
from pixelrs_ros.sim.walk.wording import CONTRACTIONS, Split, phrasings
from pixelrs_ros.types import Status

NAMES = {*COLORS, *KINDS, *(part for kind in KINDS.values() for part in kind.parts)}
PLACE_WORDS = {"left": ("left", "leftmost"), "right": ("right", "rightmost")}


def an_element(number: int, kind: str, color: str, x: float, y: float = 200.0) -> Element:
    parts = dict.fromkeys(KINDS[kind].parts, 500)
    return Element(number, kind, color, (x, y), 2000, (int(x) - 20, int(y) - 20, int(x) + 20, int(y) + 20), parts)


def a_scene(rng: np.random.Generator) -> tuple[Element, ...]:
    labels = rng.permutation(len(KINDS) * len(COLORS))[: rng.integers(4, 8)]
    kinds, colors = list(KINDS), list(COLORS)
    return tuple(
        an_element(number, kinds[label // 8], colors[label % 8], rng.uniform(40, 600), rng.uniform(80, 440))
        for number, label in enumerate(labels, start=1)
    )


def sampled(count: int, split: Split = "train") -> Iterator[tuple[tuple[Element, ...], Dialogue]]:
    rng = np.random.default_rng(5)
    for _ in range(count // 6):
        scene = a_scene(rng)
        for dialogue in sample_dialogues(scene, rng, count=6, split=split):
            yield scene, dialogue


@pytest.fixture
def plain_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    """People speak without slips and fillers, so that a test can read what they say."""
    monkeypatch.setitem(wording.HABITS, "train", Habits())


@pytest.mark.parametrize("split", ["train", "test", "test_language"])
def test_no_earlier_answer_gives_anything_away(split: Split) -> None:
    for _, dialogue in sampled(2000, split):
        for turn in dialogue.turns[:-1]:
            assert not NAMES & set(re.findall(r"[a-z]+", turn.answer.lower())), turn


def test_every_dialogue_ends_on_the_target_by_name() -> None:
    for scene, dialogue in sampled(600):
        last = dialogue.turns[-1]
        element = next(item for item in scene if item.object_id == dialogue.target.object_id)
        part = dialogue.target.part
        name = element.part_label(part) if part else element.label
        assert f"[OBJ] the {name} [SEG]" in last.answer
        assert last.answer.count("[SEG]") == 1
        assert (last.status, last.kind) == (Status.GROUNDED, "part" if part else "take")
        assert part is None or len(KINDS[element.kind].parts) > 1
        assert 3 <= len(dialogue.turns) <= 5
        if dialogue.purpose:
            assert last.answer.endswith(f"{dialogue.purpose}.")
            assert any(element.kind in wish.kinds for wish in WISHES.values() if wish.purpose == dialogue.purpose)


def test_statuses_and_masks_agree(plain_speech: None) -> None:
    for scene, dialogue in sampled(1200):
        for turn in dialogue.turns:
            count = turn.answer.count("[SEG]")
            assert count == turn.answer.count("[OBJ]") == len(turn.targets)
            assert (turn.status == Status.GROUNDED) == (count > 0)
            assert (turn.status == Status.ANSWERED) == (turn.kind == "question")
            assert turn.kind != "absent" or turn.status == Status.NOT_FOUND
            number = re.match(r"I count (\w+)\.", turn.answer)
            if number and not any(kind in turn.user.lower() for kind in (*KINDS, "kni")):
                assert NUMBERS.index(number.group(1)) == len(scene)


def plain(words: str) -> str:
    """Without the carelessness that `Speaker.utterance` adds."""
    words = words.lower()
    for short, long in CONTRACTIONS.items():
        words = words.replace(short.lower(), long.lower())
    return words


def test_the_answer_to_a_wish_follows_the_number_of_candidates(plain_speech: None) -> None:
    """Which wish was said is found by its words alone, what serves it by counting."""
    said = {
        plain(phrase): name
        for name in WISHES
        for form in ("idiom", "do")
        for phrase in phrasings("train")[f"{name}.{form}"]
    }
    seen = Counter[Status]()
    for scene, dialogue in sampled(1200):
        turn = dialogue.turns[0]
        if turn.kind != "wish" or "two_wishes" in turn.hard:
            continue
        phrase = max((phrase for phrase in said if phrase in plain(turn.user)), key=len)
        fits = [item.object_id for item in scene if item.kind in WISHES[said[phrase]].kinds]
        seen[turn.status] += 1
        if turn.status == Status.CLARIFY:
            numbers = [word for word in re.findall(r"[a-z]+", turn.answer.lower()) if word in NUMBERS[2:]]
            assert len(fits) > 1 and all(NUMBERS.index(number) == len(fits) for number in numbers)
        else:
            assert [target.object_id for target in turn.targets] == fits
            assert turn.status == (Status.GROUNDED if fits else Status.NOT_FOUND)
    assert min(seen[status] for status in (Status.CLARIFY, Status.GROUNDED, Status.NOT_FOUND)) > 20


def test_two_wishes_ask_about_what_serves_either(plain_speech: None) -> None:
    said = {
        plain(phrase).rstrip(".?!"): name
        for name in WISHES
        for form in ("idiom", "do")
        for phrase in phrasings("train")[f"{name}.{form}"]
    }
    seen = Counter[tuple[Status, int]]()
    for scene, dialogue in sampled(6000):
        turn = dialogue.turns[0]
        if "two_wishes" not in turn.hard:
            continue
        user, names = plain(turn.user), []
        for _ in range(2):
            phrase = max((phrase for phrase in said if phrase in user), key=len)
            user = user.replace(phrase, "", 1)
            names.append(said[phrase])
        served = [[item.object_id for item in scene if item.kind in WISHES[name].kinds] for name in names]
        shown = sorted(target.object_id for target in turn.targets)
        assert not set(served[0]) & set(served[1]), turn
        either = sorted(served[0] + served[1])
        if [len(each) for each in served] == [1, 1] or len(either) == 1:
            assert (turn.status, shown) == (Status.GROUNDED, either)
        else:
            assert (turn.status, shown) == (Status.CLARIFY, [])
        seen[turn.status, len(shown)] += 1
    assert min(seen[Status.GROUNDED, 1], seen[Status.GROUNDED, 2], seen[Status.CLARIFY, 0]) > 5


def test_what_is_not_there_is_said_not_to_be_there(plain_speech: None) -> None:
    unknown = 0
    for scene, dialogue in sampled(2400):
        for turn in dialogue.turns:
            if turn.kind != "absent":
                continue
            assert turn.status == Status.NOT_FOUND
            user = set(re.findall(r"[a-z]+", turn.user.lower()))
            labels = [{item.color, item.kind} for item in scene if item.kind != "can"]  # "can you" is no can
            assert not any(label <= user for label in labels), turn
            if "unknown_kind" in turn.hard:
                assert user & set(phrasings("train")["unknown"])
                unknown += 1
    assert unknown > 50


def test_no_status_is_rare() -> None:
    """Who rarely hears "that is not here" learns to ask back, or to point at something."""
    turns = [turn for _, dialogue in sampled(3600) for turn in dialogue.turns]
    shares = Counter(turn.status for turn in turns)
    assert 0.10 < shares[Status.NOT_FOUND] / len(turns) < 0.14
    assert 0.15 < shares[Status.CLARIFY] / len(turns) < 0.25
    assert shares[Status.GROUNDED] / len(turns) > 0.5
    openings = [dialogue.turns[0] for _, dialogue in sampled(3600)]
    assert 0.02 < sum("two_wishes" in turn.hard for turn in openings) / len(openings) < 0.07


def test_the_language_test_names_what_is_hard_in_it() -> None:
    dialogues = [dialogue for _, dialogue in sampled(2400, "test_language")]
    tags = Counter(tag for dialogue in dialogues for tag in dialogue.hard)
    speech = {"typo", "filler", "hedge", "aside", "terse", "courtesy", "capitals", "bare"}
    assert set(tags) == speech | {"unheard_wish", "two_wishes", "question_between", "unknown_kind"}
    assert min(tags.values()) > 0.05 * len(dialogues), tags
    assert tags["unheard_wish"] > 0.7 * len(dialogues)
    for dialogue in dialogues:
        assert ("question_between" in dialogue.hard) == any(turn.kind == "question" for turn in dialogue.turns[1:])
        assert set(dialogue.hard) >= {tag for turn in dialogue.turns for tag in turn.hard}
    assert not any("unheard_wish" in dialogue.hard for _, dialogue in sampled(300))


def test_places_are_true_of_the_centers(plain_speech: None) -> None:
    """After a wish that several things serve, "the left one" is the leftmost of them, and clearly so."""
    seen = 0
    for scene, dialogue in sampled(4800):
        for before, turn in pairwise(dialogue.turns):
            if turn.kind != "place" or before.kind != "all":
                continue
            by_id = {item.object_id: item for item in scene}
            shown = [by_id[target.object_id].center_px[0] for target in before.targets]
            chosen = by_id[turn.targets[0].object_id].center_px[0]
            words = set(re.findall(r"[a-z]+", turn.user.lower()))
            rest = sorted(abs(x - chosen) for x in shown)[1]
            if words & set(PLACE_WORDS["left"]):
                assert chosen == min(shown) and rest >= MIN_MARGIN_PX
                seen += 1
            elif words & {"rightmost"} or "on the right" in turn.user.lower():
                assert chosen == max(shown) and rest >= MIN_MARGIN_PX
                seen += 1
    assert seen > 10


def test_references_resolve_to_what_they_say() -> None:
    mug, other, knife = (
        an_element(1, "mug", "red", 100),
        an_element(2, "mug", "blue", 200),
        an_element(3, "knife", "red", 215),
    )
    everything = (mug, other, knife)
    assert resolve(Reference("color", "red"), everything) == (mug, knife)
    assert resolve(Reference("kind", "mug"), everything) == (mug, other)
    assert resolve(Reference("full", "red mug"), everything) == (mug,)
    assert resolve(Reference("left"), everything) == (mug,)
    assert resolve(Reference("right"), everything) == (), "15 px apart is too close to call"
    assert resolve(Reference("other"), (mug, other), mug) == (other,)
    assert resolve(Reference("other"), everything, mug) == ()
    assert resolve(Reference("wish", "drink"), everything) == (mug, other)
    assert resolve(Reference("it"), everything, knife) == (knife,)
    near, far = an_element(1, "can", "red", 100, 400), an_element(2, "can", "blue", 100, 100)
    assert resolve(Reference("near"), (near, far)) == (near,)
    assert resolve(Reference("far"), (near, far)) == (far,)
    for edge in references(knife, everything, None):
        assert knife in resolve(edge, everything) and len(resolve(edge, everything)) < 3


def test_memory_and_eyes_are_needed_and_targets_are_spread() -> None:
    pairs = list(sampled(3600))
    dialogues = [dialogue for _, dialogue in pairs]
    share = len(dialogues)
    assert sum(dialogue.ambiguous for dialogue in dialogues) / share >= 0.8
    assert sum(dialogue.is_named for dialogue in dialogues) / share <= 0.12
    assert 0.42 <= sum(dialogue.target.part is not None for dialogue in dialogues) / share <= 0.58
    kinds = Counter(turn.kind for dialogue in dialogues for turn in dialogue.turns)
    expected = {"wish", "attribute", "place", "correction", "change", "question", "absent", "all", "take", "part"}
    assert set(kinds) == expected and min(kinds.values()) > 100
    ends = Counter(
        next(item.kind for item in scene if item.object_id == path.target.object_id) for scene, path in pairs
    )
    assert set(ends) == set(KINDS) and max(ends.values()) < 2 * min(ends.values())


def test_an_ambiguous_last_turn_leaves_more_than_one_thing_open(plain_speech: None) -> None:
    for scene, dialogue in sampled(1200):
        last = dialogue.turns[-1].user.lower()
        colors = [color for color in COLORS if re.search(rf"\b{color}\b", last)]
        kinds = [kind for kind in KINDS if re.search(rf"\b{kind}\b", last)]
        if dialogue.ambiguous and colors and not kinds:
            assert sum(item.color == colors[0] for item in scene) > 1


def test_the_same_seed_tells_the_same_dialogues_and_dialogues_differ() -> None:
    scene = a_scene(np.random.default_rng(1))
    first, again = (sample_dialogues(scene, np.random.default_rng(9), count=8, split="train") for _ in range(2))
    assert first == again
    assert len({tuple(turn.user for turn in dialogue.turns) for dialogue in first}) == 8
    assert sample_dialogues((), np.random.default_rng(9), count=8, split="train") == []


def test_every_kind_serves_a_wish_that_others_serve_too() -> None:
    for kind in KINDS:
        assert any(len(WISHES[name].kinds) > 1 for name in wishes_for(kind)), kind
