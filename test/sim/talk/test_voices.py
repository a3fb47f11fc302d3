"""Every voice can say everything, and two of them are kept for the tests."""

from __future__ import annotations

import random
import re

import pytest

from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.talk.acts import USES
from pixelrs_ros.sim.talk.refer import GROUPS, RELATIONS, SIDES
from pixelrs_ros.sim.talk.voices import HELD_OUT, WISHES_ONLY, Speaker, load_voice, voice_names, voices_of
from pixelrs_ros.sim.talk.wishes import WISHES

# Slots of every voice by the placeholders that each of their phrasings must have; of "kind/kinds" one.
PLACED = {
    slot: placeholders
    for placeholders, slots in {
        "np": ("order", "want", "show", "where", "bare", "next", "change", "narrow", "correct", "part_order"),
        "kind": (
            *("np.kind", "np.not_kind", "np.big.kind", "np.small.kind", "np.middle.kind", "q.color"),
            *(f"np.{side}.kind" for side in SIDES),
        ),
        "kind/kinds": ("np.any.kind",),
        "kinds": ("np.all.kind", "np.both.kind", "q.count"),
        "color": ("np.color", "np.not_color", "np.all.color"),
        "color kind": ("np.color_kind",),
        "ordinal": ("np.from_left", "np.from_right"),
        "ordinal kind": ("np.from_left.kind", "np.from_right.kind"),
        "head ref": tuple(f"np.{relation}" for relation in RELATIONS),
        "head a b": ("np.between",),
        "part": ("np.part",),
        "part np": ("np.part_of",),
        "a_np": ("q.is_there",),
    }.items()
    for slot in slots
}
PLAIN = {
    "before", "after", "order_it", "back", "confirm", "reject", "greet", "thanks", "bye", "help", "smalltalk",
    "nonsense", "unknown", "np.it", "np.other", "np.big", "np.small", "np.middle", "q.what", "q.count_all",
    *(f"np.{side}" for side in SIDES), *(f"q.what_{side}" for side in SIDES), *(f"np.group.{name}" for name in GROUPS),
    *USES.values(), *(f"wish.{name}" for name in WISHES), *(f"want.{name}" for name in WISHES),
}  # fmt: skip


@pytest.mark.parametrize("name", voice_names())
def test_every_voice_fills_every_slot_and_leaves_no_placeholder_out(name: str) -> None:
    phrasings = load_voice(name).phrasings
    assert not (PLACED.keys() | PLAIN) - phrasings.keys()
    for slot, phrases in phrasings.items():
        for phrase in phrases:
            found = set(re.findall(r"\{(\w+)\}", phrase))
            wanted = PLACED.get(slot, "").split()
            assert len(found) == len(wanted) and all(found & set(one.split("/")) for one in wanted), (slot, phrase)
        assert phrases and len(set(phrases)) == len(phrases), slot


def test_two_voices_of_ten_are_the_tests_and_one_tells_wishes_only() -> None:
    everyone = {*voice_names(), WISHES_ONLY}
    assert len(everyone) == 10 and len(HELD_OUT) == 2
    assert set(voices_of("train")) == set(voices_of("val")) == everyone - {*HELD_OUT, WISHES_ONLY}
    assert voices_of("test") == voices_of("test_language") == HELD_OUT
    founder = load_voice(WISHES_ONLY).phrasings
    assert founder.keys() == {f"{kind}.{name}" for kind in ("wish", "want") for name in WISHES}


def test_there_are_thousands_of_phrasings_and_many_for_each_purpose() -> None:
    voices = [load_voice(name).phrasings for name in (*voice_names(), WISHES_ONLY)]
    assert len({(slot, phrase) for voice in voices for slot, phrases in voice.items() for phrase in phrases}) >= 2_000
    for wish in WISHES:
        told = {phrase for voice in voices for phrase in voice[f"wish.{wish}"]}
        assert len(told) >= 40, wish


def test_what_is_held_out_is_held_out() -> None:
    train = {phrase for name in voices_of("train") for phrase in load_voice(name).phrasings["order"]}
    test = {phrase for name in HELD_OUT for phrase in load_voice(name).phrasings["order"]}
    assert len(test - train) > 0.7 * len(test)


def test_every_kind_has_words() -> None:
    speaker = Speaker("train", random.Random(0))
    assert all(speaker.word(kind) for kind in KINDS)
    assert len({speaker.word("mug") for _ in range(100)}) > 1
    with pytest.raises(DataError, match="has no slot 'sing'"):
        speaker.phrase("sing")
    with pytest.raises(DataError, match=r"nothing fills \['kind'\]"):
        speaker.phrase("np.kind")
