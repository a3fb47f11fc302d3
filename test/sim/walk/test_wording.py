import random
import re
from collections.abc import Iterable
from dataclasses import asdict

import pytest

from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.talk.speech import plural, with_article
from pixelrs_ros.sim.talk.wishes import WISHES
from pixelrs_ros.sim.walk.wording import ACTION_WORDS, HABITS, Speaker, Split, parse, phrasings

SPLITS: tuple[Split, ...] = ("train", "test", "test_language")
# Words that tell nothing of what is wished for: function words, and be, have, do, make, go, need, want.
# fmt: off
STOP_WORDS = frozenset((
    "a", "an", "the", "this", "that", "these", "those", "every", "it", "its", "i", "im", "me", "my", "myself", "we",
    "our", "us", "you", "her", "someone", "what", "how", "so", "much", "not", "again", "here", "and", "after", "at",
    "by", "for", "from", "in", "into", "like", "of", "on", "over", "through", "to", "up", "with", "without", "is",
    "isnt", "are", "be", "been", "has", "have", "do", "make", "made", "making", "go", "gone", "could", "would",
    "should", "must", "wont", "needs", "want",
))
# fmt: on
# These are answered with names, or ask for everything.
ACTION_SLOTS = ("take", "part.", "function.", "all.")


def spoken(phrases: Iterable[str]) -> set[str]:
    """Every word of some phrasings, in lower case, without apostrophes."""
    return set(re.findall(r"[a-z]+", " ".join(phrases).lower().replace("'", "")))


def words(phrase: str) -> str:
    return re.sub(r"[^a-z{}_ ]", "", phrase.lower()).strip()


def test_test_phrasings_are_never_those_of_training() -> None:
    train, test = phrasings("train"), phrasings("test")
    assert set(train) == set(test)
    for slot in train:
        assert not {words(phrase) for phrase in train[slot]} & {words(phrase) for phrase in test[slot]}, slot
    assert phrasings("val") == train


def test_no_word_that_tells_an_unheard_wish_occurs_in_training() -> None:
    heard = spoken(phrase for split in ("train", "val") for phrases in phrasings(split).values() for phrase in phrases)
    heard |= {word for kind in KINDS for word in (kind, plural(kind))} | set(COLORS)
    heard |= {part for kind in KINDS.values() for part in kind.parts}
    for name in WISHES:
        told = [phrase for form in ("idiom", "do", "rel") for phrase in phrasings("test_language")[f"{name}.{form}"]]
        assert len(told) == len(set(told)) >= 6
        for phrase in told:
            content = spoken([phrase]) - STOP_WORDS
            assert content, phrase
            assert not content & heard, f"{name}: {phrase}"


def test_the_language_test_frames_its_wishes_as_the_test_does() -> None:
    test, language = phrasings("test"), phrasings("test_language")
    assert set(test) == set(language)
    wishes = {f"{name}.{form}" for name in WISHES for form in ("idiom", "do", "rel")}
    assert {slot for slot in test if test[slot] != language[slot]} == wishes


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
                assert acts or "{part}" in phrase, f"{slot}: {phrase}"
            elif not slot.startswith(ACTION_SLOTS):
                assert not acts, f"{slot}: {phrase}"


def test_test_utterances_are_new_sentences_of_mostly_known_words() -> None:
    train, test = phrasings("train"), phrasings("test")
    known = {word for phrases in train.values() for phrase in phrases for word in words(phrase).split()}
    asked = [word for phrases in test.values() for phrase in phrases for word in words(phrase).split()]
    assert sum(word in known for word in asked) > 0.9 * len(asked)


def test_phrases_are_filled_in_and_made_sentences() -> None:
    speaker = Speaker("test", random.Random(0))
    for _ in range(200):
        said = speaker.utterance(speaker.phrase("take", {"np": "the red one"}))
        assert "the red one" in said.text.lower()
        assert "{" not in said.text
        assert said.text == said.text.strip()
        assert not said.hard


def test_remarks_and_courtesies_name_nothing_and_hide_no_order() -> None:
    """What a person says besides must not change what is meant."""
    telling = {*COLORS, *KINDS, *(plural(kind) for kind in KINDS), "left", "right", "front", "other", "it"} - {"can"}
    telling |= {part for kind in KINDS.values() for part in kind.parts}
    for split in SPLITS:
        for slot in ("filler", "hedge", "aside.before", "aside.after", "courtesy"):
            for phrase in phrasings(split)[slot]:
                said = set(words(phrase).split())
                assert not said & ACTION_WORDS, phrase
                assert not said & telling - {"it", "right"}, phrase


def test_nouns_for_what_is_never_there_name_no_kind_or_part() -> None:
    ours = {*COLORS, *KINDS, *(part for kind in KINDS.values() for part in kind.parts)}
    for split in SPLITS:
        assert not ours & set(phrasings(split)["unknown"])


def test_people_speak_in_every_way_at_about_the_rates_of_their_habits() -> None:
    speaker = Speaker("train", random.Random(1))
    said = [speaker.utterance(speaker.phrase("take", {"np": "the yellow screwdriver"})) for _ in range(4000)]
    shares = {name: sum(name in each.hard for each in said) / len(said) for name in asdict(HABITS["train"])}
    assert 0.12 < shares["typo"] < 0.18
    assert all(share > 0.02 for share in shares.values()), shares
    assert 0.3 < sum(not each.hard for each in said) / len(said) < 0.7
    for each in said:
        loud = each.text == each.text.upper()
        assert loud == ("capitals" in each.hard), each
        assert "bare" not in each.hard or not re.search(r"[.,?!:]", each.text), each
        if "typo" not in each.hard:
            assert "yellow screwdriver" in re.sub(r"[^a-z ]", "", each.text.lower()) or "filler" in each.hard, each


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
