from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.stream import AnswerStream


@pytest.fixture(scope="module")
def layout(debug_tokenizer: Tokenizer, debug_config: MirasConfig) -> ChatLayout:
    return ChatLayout(debug_tokenizer, 16, debug_config.text)


def streamed(layout: ChatLayout, ids: list[int]) -> list[str]:
    stream, texts = AnswerStream(layout), []
    for token_id in ids:
        stream.push(token_id)
        texts.append(stream.parsed().text)
    return texts


@given(st.lists(st.integers(0, 309), max_size=40))
@example([8, 9, 8, 8, 9, 9])
def test_at_every_marker_it_is_what_parsing_the_whole_gives(layout: ChatLayout, ids: list[int]) -> None:
    stream = AnswerStream(layout)
    markers = {layout.ids[name] for name in ("[OBJ]", "[SEG]", "[ASK]", "[NONE]")}
    for index, token_id in enumerate(ids):
        stream.push(token_id)
        whole = layout.parse(layout.decode_answer(ids[: index + 1]))
        if token_id in markers:
            assert stream.parsed() == whole
        assert whole.text.startswith(stream.parsed().text.rstrip("\ufffd"))


@given(st.text(max_size=30))
@example("a [S[OBJ]EG] b")
@example("[[[SEG]")
@example("世界 [O world [OB")
@example("é 🤖")
def test_words_arrive_whole_and_never_spell_a_marker(layout: ChatLayout, words: str) -> None:
    ids = [layout.obj_id, *layout.answer(words), layout.seg_id]
    texts = streamed(layout, ids)
    for text in texts:
        assert not any(marker in text for marker in ("[OBJ]", "[SEG]", "[ASK]", "[NONE]"))
    assert texts[-1] == layout.parse(layout.decode_answer(ids)).text


def test_each_word_is_told_when_it_comes(layout: ChatLayout) -> None:
    ids = layout.answer(" the handle of the red mug[SEG]")
    texts = streamed(layout, ids)
    assert len(set(texts)) >= len(ids) - 2  # all but `[SEG]` and the end
    assert texts[-1] == "the handle of the red mug"


def test_a_token_is_decoded_once_however_long_the_answer(
    layout: ChatLayout, debug_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []

    class Spy:
        def decode(self, ids: list[int]) -> str:
            decoded.extend(ids)
            return str(debug_tokenizer.decode(ids))

    stream = AnswerStream(layout)
    ids = [*layout.answer(" the handle of the red mug[SEG], or[OBJ] this[SEG]") * 20]
    for token_id in ids:
        with monkeypatch.context() as patch:
            if token_id in (layout.seg_id, layout.obj_id):
                patch.setattr(stream, "_tokenizer", Spy())
            stream.push(token_id)
    assert len(decoded) <= len(ids)
