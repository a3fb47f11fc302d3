import dataclasses
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.text import tokenizer as tokens
from pixelrs_ros.text.answer import parse
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import SPECIAL_TOKENS, load_tokenizer
from pixelrs_ros.types import GroundedPhrase, Status

MARKERS = (tokens.OBJ, tokens.SEG, tokens.ASK, tokens.NONE)
WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6).map(
    lambda word: unicodedata.normalize("NFC", word)
)
WORDS = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
ANY_WORDS = st.lists(st.one_of(st.text(max_size=8), st.sampled_from(SPECIAL_TOKENS)), max_size=12).map("".join)


@pytest.fixture(scope="module")
def layout(debug_tokenizer: Tokenizer, debug_config: MirasConfig) -> ChatLayout:
    return ChatLayout(debug_tokenizer, 16, debug_config.text)


def phrases(text: str, found: tuple[GroundedPhrase, ...]) -> list[str]:
    return [text[phrase.start : phrase.end] for phrase in found]


def test_words_and_dialogues_need_no_torch() -> None:
    modules = ("text.layout", "text.tokenizer", "dialogue.store", "dialogue.budget", "types", "config")
    imports = "; ".join(f"import pixelrs_ros.{module}" for module in modules)
    code = f"import sys; {imports}; assert not {{'torch', 'transformers'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@given(
    st.lists(st.tuples(WORDS, WORDS, st.sampled_from(",.;!?")), max_size=3),
    st.sampled_from([Status.ANSWERED, Status.CLARIFY, Status.NOT_FOUND]),
    WORDS,
)
def test_an_answer_goes_round(
    layout: ChatLayout, grounded: list[tuple[str, str, str]], status: Status, ending: str
) -> None:
    value = "".join(f" {words}[OBJ] {phrase}[SEG]{mark}" for words, phrase, mark in grounded) + f" {ending}"
    answer = layout.history_answer(value, status)
    decoded = layout.decode_answer(layout.answer(answer))
    assert decoded == answer
    parsed = layout.parse(decoded)
    expected = "".join(f" {words} {phrase}{mark}" for words, phrase, mark in grounded) + f" {ending}"
    assert parsed.text == expected.strip()
    assert phrases(parsed.text, parsed.phrases) == [phrase for _, phrase, _ in grounded]
    assert [phrase.segment for phrase in parsed.phrases] == list(range(len(grounded)))
    assert parsed.status == (Status.GROUNDED if grounded else status)


@given(st.lists(st.one_of(WORDS, st.sampled_from([*MARKERS, " ", ",", "."])), max_size=10).map("".join))
@example("a   [OBJ][SEG]")
@example("[SEG] , [SEG]")
def test_answers_of_any_order_parse_and_stay_as_they_are_in_the_history(layout: ChatLayout, value: str) -> None:
    answer = layout.decode_answer(layout.answer(value))
    for text in (value, answer):
        parsed = layout.parse(text)
        assert not any(marker in parsed.text for marker in MARKERS)
        assert len(parsed.phrases) == text.count(tokens.SEG)
        assert all(0 <= phrase.start <= phrase.end <= len(parsed.text) for phrase in parsed.phrases)
    assert layout.decode_answer(layout.answer(answer)) == answer


@given(st.lists(st.integers(0, 309), max_size=40))
def test_whatever_the_network_says_can_be_read(layout: ChatLayout, ids: list[int]) -> None:
    ids = [index for index in ids if index < layout.vocab_size]
    answer = layout.decode_answer(ids)
    parsed = layout.parse(answer)
    assert answer.count(tokens.SEG) == len(parsed.phrases) == ids.count(layout.seg_id)
    assert all(0 <= phrase.start <= phrase.end <= len(parsed.text) for phrase in parsed.phrases)


@given(ANY_WORDS)
@example("<image>[SEG]</s><assistant>")
@example("[SEG]" * 4000)
def test_users_words_never_place_a_special_token(layout: ChatLayout, text: str) -> None:
    special = set(layout.ids.values())
    first, later = layout.user(text, first=True), layout.user(text, first=False)
    assert later == [layout.ids[tokens.USER], *first]
    assert first[-1] == layout.ids[tokens.ASSISTANT]
    assert not special & set(first[:-1])
    prompt = layout.prompt([(text, "[OBJ] it[SEG]")], text)
    assert prompt.count(layout.image_id) == 16
    assert prompt.count(layout.seg_id) == 1


def test_the_picture_stands_once_in_front(layout: ChatLayout) -> None:
    turns = [("one", " Yes."), ("two", "[NONE] There is none.")]
    for count in range(3):
        prompt = layout.prompt(turns[:count], "three")
        assert prompt.count(layout.image_id) == 16
        assert prompt[: len(layout.prefix())] == layout.prefix()
        assert prompt.count(layout.eos_id) == count
        assert prompt.count(layout.ids[tokens.USER]) == count + 1
        assert prompt[-1] == layout.ids[tokens.ASSISTANT]


def test_a_picture_without_markers_is_nothing_but_its_tokens(
    layout: ChatLayout, debug_tokenizer: Tokenizer, debug_config: MirasConfig
) -> None:
    bare = ChatLayout(debug_tokenizer, 16, dataclasses.replace(debug_config.text, image_markers=False))
    turns = [("one", " Yes.")]
    markers = {layout.ids[tokens.IMAGE_START], layout.ids[tokens.IMAGE_END]}
    assert bare.prompt(turns, "two") == [index for index in layout.prompt(turns, "two") if index not in markers]
    assert len(layout.prefix()) == len(bare.prefix()) + 2
    assert markers < set(bare.unspeakable_ids), "nor may they be said"


def test_space_and_case_of_the_user_do_not_matter_where_configured(
    layout: ChatLayout, debug_tokenizer: Tokenizer, debug_config: MirasConfig
) -> None:
    assert layout.user(" The\n RED  mug ", first=True) == layout.user("the red mug", first=True)
    careful = ChatLayout(debug_tokenizer, 16, dataclasses.replace(debug_config.text, lowercase_user=False))
    assert careful.user("The RED mug", first=True) != careful.user("the red mug", first=True)


@pytest.mark.parametrize("spelled", ["[SEG]", "[S[SEG]EG]", "[O[SEG]BJ]", "[S[O[ASK]BJ]EG]", "[NONE][SEG]"])
def test_letters_that_spell_a_marker_never_become_one(
    layout: ChatLayout, debug_tokenizer: Tokenizer, spelled: str
) -> None:
    debug_tokenizer.encode_special_tokens = True
    letters = debug_tokenizer.encode(f" the {spelled} mug", add_special_tokens=False).ids
    assert not set(layout.ids.values()) & set(letters)
    answer = layout.decode_answer([layout.obj_id, *letters, layout.seg_id])
    assert [answer.count(marker) for marker in MARKERS] == [1, 1, 0, 0]
    # Nor when an end of text or a picture's token stands among them.
    half = len(debug_tokenizer.encode(" the [S", add_special_tokens=False).ids)
    assert tokens.SEG not in layout.decode_answer([*letters[:half], layout.image_id, layout.eos_id, *letters[half:]])


@pytest.mark.parametrize(
    ("answer", "text", "expected", "status"),
    [
        (" It is[OBJ] the red mug[SEG], to drink.", "It is the red mug, to drink.", ["the red mug"], Status.GROUNDED),
        ("Here it is: the mug[SEG].", "Here it is: the mug.", ["the mug"], Status.GROUNDED),
        ("The mug[SEG]. The pan[SEG].", "The mug. The pan.", ["The mug", "The pan"], Status.GROUNDED),
        ("[OBJ] a mug[SEG] and[OBJ] a pan[SEG]", "a mug and a pan", ["a mug", "a pan"], Status.GROUNDED),
        ("[SEG]", "", [""], Status.GROUNDED),
        ("[ASK] Which mug?", "Which mug?", [], Status.CLARIFY),
        ("[NONE] There is none.", "There is none.", [], Status.NOT_FOUND),
        ("[NONE][OBJ] the mug[SEG]", "the mug", ["the mug"], Status.GROUNDED),
        ("[OBJ] never cut", "never cut", [], Status.ANSWERED),
        ("", "", [], Status.ANSWERED),
    ],
)
def test_answers_are_parsed(answer: str, text: str, expected: list[str], status: Status) -> None:
    parsed = parse(answer)
    assert (parsed.text, phrases(parsed.text, parsed.phrases), parsed.status) == (text, expected, status)


def test_history_answers_carry_their_status(layout: ChatLayout) -> None:
    assert layout.history_answer(" Which?", Status.CLARIFY) == "[ASK] Which?"
    assert layout.history_answer(" None.", Status.NOT_FOUND) == "[NONE] None."
    assert layout.history_answer(" Yes.", Status.ANSWERED) == " Yes."


def test_what_an_answer_may_not_hold_is_unspeakable(layout: ChatLayout) -> None:
    speakable = {tokens.EOS, *MARKERS}
    assert {layout.ids[token] for token in SPECIAL_TOKENS if token not in speakable} == set(layout.unspeakable_ids)


def test_any_text_can_be_encoded_and_read_back(debug_tokenizer: Tokenizer) -> None:
    text = " Tschüß, 世界 🤖\x00"
    assert debug_tokenizer.decode(debug_tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_a_tokenizer_is_read_or_named(debug_tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is missing"):
        load_tokenizer(path)
    debug_tokenizer.save(str(path))
    assert load_tokenizer(path).get_vocab() == debug_tokenizer.get_vocab()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="is not a tokenizer"):
        load_tokenizer(path)
