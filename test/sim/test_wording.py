import random
import re

import pytest

from pixelrs_ros.sim.wishes import WISHES
from pixelrs_ros.sim.wording import ACTION_WORDS, Speaker, Split, parse, phrasings, plural, with_article

SPLITS: tuple[Split, ...] = ("train", "test")
# These are answered with names, or ask for everything.
ACTION_SLOTS = ("take", "part.", "function.", "all.")


def words(phrase: str) -> str:
    return re.sub(r"[^a-z{}_ ]", "", phrase.lower()).strip()


def test_test_phrasings_are_never_those_of_training() -> None:
    train, test = phrasings("train"), phrasings("test")
    assert set(train) == set(test)
    for slot in train:
        assert not {words(phrase) for phrase in train[slot]} & {words(phrase) for phrase in test[slot]}, slot
    assert phrasings("val") == train


def test_every_wish_can_be_said() -> None:
    for split in SPLITS:
        for name in WISHES:
            assert all(phrasings(split)[f"{name}.{form}"] for form in ("idiom", "do", "rel"))


@pytest.mark.parametrize("split", SPLITS)
def test_only_actions_use_action_words(split: Split) -> None:
    for slot, phrases in phrasings(split).items():
        for phrase in phrases:
            acts = ACTION_WORDS & set(words(phrase).split())
            if slot == "take" or slot.startswith(("part.", "function.")):
                assert acts, f"{slot}: {phrase}"
            elif not slot.startswith(ACTION_SLOTS):
                assert not acts, f"{slot}: {phrase}"


def test_test_utterances_are_new_sentences_of_mostly_known_words() -> None:
    train, test = phrasings("train"), phrasings("test")
    known = {word for phrases in train.values() for phrase in phrases for word in words(phrase).split()}
    asked = [word for phrases in test.values() for phrase in phrases for word in words(phrase).split()]
    assert sum(word in known for word in asked) > 0.9 * len(asked)


def test_phrases_are_filled_in_and_made_sentences() -> None:
    speaker = Speaker("train", random.Random(0))
    for _ in range(200):
        said = speaker.utterance(speaker.phrase("take", {"np": "the red one"}))
        assert "the red one" in said.lower()
        assert "{" not in said
        assert said == said.strip()


def test_malformed_wordings_are_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        parse("hello")
    with pytest.raises(ValueError, match="twice"):
        parse("= a\nx\n= a\ny")
    with pytest.raises(ValueError, match="without"):
        parse("= a\n= b\ny")


def test_articles_and_plurals() -> None:
    assert [with_article("orange ball"), with_article("mug")] == ["an orange ball", "a mug"]
    assert [plural(kind) for kind in ("box", "brush", "knife", "mug")] == ["boxes", "brushes", "knives", "mugs"]
