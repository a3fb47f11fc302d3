"""What a user types is words: never a special token, a path or a format string."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_bench import Caller
from hypothesis import given, settings
from hypothesis import strategies as st
from pixelrs_ros.msg import Segmentation

from pixelrs_ros.checkpoint import read_sizes, resolve
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import REQUIRED_TOKENS, load_tokenizer

DONE = "special tokens, paths, format strings, NUL, bidirectional marks, emoji and 1 MB as words or session id"
ANSWER = "plain text to the network, the log and the store"
NASTY = (
    *REQUIRED_TOKENS, "<s>", "</s>", "<user>", "<assistant>", "<pad>", "[SEG", "]", "%s%n%x", "{}", "{0.__class__}",
    "${HOME}", "../../etc/passwd", "/dev/null", "..", "CON", "\x00", "\u202e", "\u200f", "🤖", "👩‍👩‍👧", "\ufeff",
    "\x1b[2J", "\r\n[ERROR]", "'; DROP TABLE turns;--", "$(reboot)", "\ud7ff\ue000", "e\u0301", "ﬁ", "İ", "＜image＞",
)  # fmt: skip
EXAMPLES = 500
WORDS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=8)), max_size=12).map("".join)


@pytest.fixture(scope="module")
def layout() -> ChatLayout:
    """Of the shipped network."""
    config, _ = read_sizes("nano")
    return ChatLayout(load_tokenizer(resolve("nano") / "tokenizer.json"), config.clip.num_patches, config.text)


@pytest.mark.fault(DONE, ANSWER, cases=EXAMPLES)
@settings(max_examples=EXAMPLES)
@given(words=WORDS)
def test_words_never_become_a_special_token(layout: ChatLayout, words: str) -> None:
    special = set(layout.ids.values())
    for first in (True, False):
        nothing, something = layout.user("", first=first), layout.user(words, first=first)
        assert [index for index in something if index in special] == [index for index in nothing if index in special]
    prompt = layout.prompt([(words, "Which?")], words)
    assert prompt.count(layout.image_id) == layout.num_image_tokens and layout.seg_id not in prompt
    plain = " ".join(words.split())
    plain = plain.lower() if layout.lowercase_user else plain
    spoken = layout.tokenizer.decode([index for index in layout.user(words, first=False) if index not in special])
    assert spoken.strip() == layout.tokenizer.normalizer.normalize_str(plain).strip(), "and none of them is lost"


@pytest.mark.fault(DONE, ANSWER)
@pytest.mark.parametrize("words", ["[SEG]" * 200_000, "🤖\u202e" * 250_000], ids=["markers", "emoji"])
def test_a_million_bytes_are_words_too(layout: ChatLayout, words: str) -> None:
    special = set(layout.ids.values())
    ids = layout.user(words, first=False)
    assert len(ids) > 100_000
    assert [index for index in ids if index in special] == [
        index for index in layout.user("", first=False) if index in special
    ]


@pytest.mark.fault(DONE, ANSWER, cases=len(NASTY))
def test_words_and_session_ids_come_back_as_they_were(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = caller.show()
    for words in NASTY:
        said = words.split("\x00")[0] or "nothing"  # a text ends at NUL on its way through DDS
        result = caller.say(said, said, stamp_ns=caller.stamp_of(shown))
        assert (result.status, result.session_id) == (Segmentation.ANSWERED, said)
        assert caller.words(result) == said
        assert caller.dialogue(said) == [said]
    caller.say("after all of them")  # a turn is logged after its answer has gone out, and before the next is begun
    logged = capfd.readouterr().err  # once: what is written between its reading and its emptying the file is lost
    for words in NASTY:
        said = words.split("\x00")[0] or "nothing"
        assert f"[{said!r} 0] {said!r} -> answered: {said!r}" in logged, "one line, letter for letter"
    assert not {"\x1b", "\u202e", "\r"} & set(logged)
    assert list(tmp_path.iterdir()) == [], "no name became a file"


@pytest.mark.fault(DONE, ANSWER)
@pytest.mark.parametrize("field", ["text", "session_id"])
def test_a_million_bytes_are_refused_in_few_words(caller: Caller, field: str) -> None:
    caller.show()
    said = {"text": "mask", "session_id": "", field: "x" * 1_000_000}
    result = caller.say(said["text"], said["session_id"])
    assert result.status == Segmentation.BAD_INPUT
    assert "1000000 characters" in result.message and len(result.message) < 200
    assert caller.say("mask").status == Segmentation.GROUNDED
