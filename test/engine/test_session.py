from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.frames import EncodedFrame
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import BadInputError, ConfigError
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.types import Frame, Utterance


class CountingEngine(Engine):
    """The tiny network, counting how often it looks at a picture."""

    looks = 0

    def encode(self, image: np.ndarray, *, blind: bool = False) -> EncodedFrame:
        self.looks += 1
        return super().encode(image, blind=blind)


@pytest.fixture
def engine(debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> CountingEngine:
    return CountingEngine(debug_miras, debug_config, debug_tokenizer)


@pytest.fixture
def session(engine: CountingEngine) -> Session:
    return Session(engine, max_sessions=2, max_turns=3, max_characters=600, max_new_tokens=4)


def a_frame(seed: int = 0) -> Frame:
    return Frame(np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8))


def test_a_dialogue_is_remembered_and_reset(session: Session) -> None:
    replies = [session.say(Utterance(text), a_frame()) for text in ("one", "two", "three", "four")]
    turns = session.turns("default")
    assert [turn.text for turn in turns] == ["two", "three", "four"]
    assert [turn.answer for turn in turns] == [reply.answer for reply in replies[1:]]
    assert session.next_index("default") == 4
    assert session.reset("default") == 3 and session.turns("default") == ()
    assert session.say(Utterance("one"), a_frame()).answer == replies[0].answer


def test_the_history_reaches_the_network(session: Session, engine: CountingEngine) -> None:
    first = session.say(Utterance("the mug"), a_frame())
    second = session.say(Utterance("the mug"), a_frame())
    turns = session.turns("default")
    assert second.answer == engine.answer(engine.encode(a_frame().image), turns[:1], "the mug", None, 4).answer
    assert first.answer != second.answer


def test_sessions_do_not_see_one_another(session: Session) -> None:
    alone = session.say(Utterance("the mug", "a"), a_frame())
    session.say(Utterance("the pan", "a"), a_frame())
    assert session.say(Utterance("the mug", "b"), a_frame()).answer == alone.answer
    assert len(session.turns("a")) == 2 and len(session.turns("b")) == 1
    session.say(Utterance("the mug", "c"), a_frame())
    assert session.session_ids() == ("b", "c")


def test_a_picture_is_looked_at_once(session: Session, engine: CountingEngine) -> None:
    first = session.say(Utterance("the mug"), a_frame())
    again = session.say(Utterance("the mug"), Frame(a_frame().image.copy(), stamp_ns=5))
    assert engine.looks == 1
    assert first.latency_ms["encode"] > 0 and again.latency_ms["encode"] == 0
    changed = a_frame().image.copy()
    changed[-1, -1, -1] ^= 1
    session.say(Utterance("the mug"), Frame(changed))
    session.say(Utterance("the mug"), Frame(a_frame().image.reshape(32, 24, 3)))
    assert engine.looks == 3, "one changed value, or other sides, make another picture"


def test_a_picture_is_kept_as_long_as_a_dialogue_refers_to_it(session: Session, engine: CountingEngine) -> None:
    session.say(Utterance("the mug", "a"), a_frame())
    session.say(Utterance("the mug", "b"), a_frame())
    session.reset("a")
    session.say(Utterance("the pan", "b"), a_frame())
    assert engine.looks == 1, "the other dialogue still refers to it"
    session.reset("b")
    session.say(Utterance("the mug", "a"), a_frame())
    assert engine.looks == 2
    session.say(Utterance("the mug", "b"), a_frame(1))
    session.say(Utterance("the mug", "c"), a_frame(2))  # the third of two dialogues: the first is forgotten
    assert session.session_ids() == ("b", "c")
    session.say(Utterance("the pan", "b"), a_frame(0))
    assert engine.looks == 5


def test_few_pictures_are_kept(engine: CountingEngine) -> None:
    session = Session(engine, max_new_tokens=2, max_cached_frames=2)
    for seed in (0, 1, 2):
        session.say(Utterance("the mug"), a_frame(seed))
    assert engine.looks == 3
    session.say(Utterance("the mug"), a_frame(1))
    assert engine.looks == 3
    session.say(Utterance("the mug"), a_frame(0))
    assert engine.looks == 4


def test_only_new_tokens_are_read(session: Session, engine: CountingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    embed = engine.miras.embed

    def spy(ids: torch.Tensor, *arguments: torch.Tensor) -> torch.Tensor:
        read.append(ids.shape[1])
        return embed(ids, *arguments)

    def expected(before: int) -> int:
        past = [(turn.text, turn.answer) for turn in session.turns("default")[before - 1 : before]]
        # The end of the answer was never read, nor its last word where it was cut short.
        answered = len(engine.layout.answer(past[0][1]))
        return answered + len(engine.layout.user("two", first=False))

    monkeypatch.setattr(engine.miras, "embed", spy)
    session.say(Utterance("one"), a_frame())
    whole = len(engine.layout.prompt([], "one"))
    session.say(Utterance("two"), a_frame())
    assert read[0] == whole and len(engine.layout.user("two", first=False)) <= read[1] <= expected(1) < whole
    session.say(Utterance("three"), a_frame(1))
    assert read[2] > whole - len(engine.layout.prefix()) + engine.layout.num_image_tokens, "another picture"
    session.reset("default")
    session.say(Utterance("one"), a_frame(1))
    assert read[3] == whole
    session.say(Utterance("one", "other"), a_frame(1))
    assert read[4] == whole, "dialogues share nothing"


def test_few_dialogues_keep_their_keys_and_values(engine: CountingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(engine, max_new_tokens=2, max_cached_sessions=2)
    for session_id in ("a", "b", "a", "c", "b"):
        session.say(Utterance("the mug", session_id), a_frame())
    assert list(session._prefixes) == ["c", "b"]
    session.reset("c")
    assert list(session._prefixes) == ["b"]


def test_an_answer_that_leaves_no_room_is_refused_at_once(engine: CountingEngine) -> None:
    room = engine.config.text.max_context_tokens - len(engine.layout.prompt([], ""))
    Session(engine, max_new_tokens=room - 1)
    with pytest.raises(ConfigError, match=f"max_new_tokens must be less than {room}.*got {room}"):
        Session(engine, max_new_tokens=room)


def test_masks_come_before_the_words_are_done(engine: CountingEngine) -> None:
    answer = " It is[OBJ] the mug[SEG], or[OBJ] the pan[SEG], to drink from."
    script = iter(engine.layout.answer(answer))
    engine._choose = lambda logits, first: (next(script), 1.0)  # type: ignore[assignment]
    told: list[str] = []
    reply = Session(engine).say(
        Utterance("which?"), a_frame(), told.append, lambda segment: told.append(f"mask of {segment.phrase}")
    )
    assert [segment.phrase for segment in reply.segments] == ["the mug", "the pan"]
    assert told.index("mask of the mug") < told.index("It is the mug,")
    assert told.index("mask of the pan") < len(told) - 3 and told[-1] == reply.text


def test_bad_input_leaves_the_dialogue_as_it_was(session: Session) -> None:
    session.say(Utterance("the mug"), a_frame())
    before = session.turns("default")
    with pytest.raises(BadInputError, match=r"601 characters, at most 600.*max_characters"):
        session.say(Utterance("a" * 601), a_frame())
    with pytest.raises(BadInputError, match=r"too long: .* tokens"):
        session.say(Utterance("7 " * 300), a_frame())
    assert session.turns("default") == before
    session.say(Utterance("the pan"), a_frame())
    assert session.next_index("default") == 2


def test_a_listener_that_fails_leaves_the_dialogue_as_it_was(session: Session) -> None:
    def fail(text: str) -> None:
        raise RuntimeError("nobody listens")

    with pytest.raises(RuntimeError, match="nobody listens"):
        session.say(Utterance("the mug"), a_frame(), fail)
    assert session.turns("default") == ()
    assert session.say(Utterance("the mug"), a_frame()).text is not None


def test_a_dialogue_that_is_reset_during_a_turn_forgets_that_turn(session: Session) -> None:
    session.say(Utterance("the mug"), a_frame())

    def forget(text: str) -> None:
        session.reset("default")

    reply = session.say(Utterance("the pan"), a_frame(), forget)
    assert reply.answer and session.turns("default") == () and session.next_index("default") == 0
    session.say(Utterance("the mug"), a_frame())
    assert session.next_index("default") == 1


def test_two_callers_at_once_both_get_their_answers(session: Session, engine: CountingEngine) -> None:
    expected = {
        text: engine.answer(engine.encode(a_frame().image), [], text, None, 4).answer for text in ("the mug", "the pan")
    }
    with ThreadPoolExecutor(2) as pool:
        jobs = {text: pool.submit(session.say, Utterance(text, session_id=text), a_frame()) for text in expected}
        assert {text: job.result(60).answer for text, job in jobs.items()} == expected
    assert {text: session.next_index(text) for text in expected} == {"the mug": 1, "the pan": 1}


def test_a_picture_that_could_not_be_encoded_is_tried_again(
    session: Session, engine: CountingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.miras.sam.encode
    failures = iter([True])

    def encode(pixels: torch.Tensor) -> torch.Tensor:
        if next(failures, False):
            raise RuntimeError("out of memory")
        return whole(pixels)

    monkeypatch.setattr(engine.miras.sam, "encode", encode)
    seg = engine.layout.answer("[OBJ] it[SEG]")
    chosen = iter(seg)
    monkeypatch.setattr(engine, "_choose", lambda logits, *, first: (next(chosen), 1.0))
    with pytest.raises(RuntimeError, match="out of memory"):
        session.say(Utterance("the mug"), a_frame())
    chosen = iter(seg)
    assert session.turns("default") == ()
    assert len(session.say(Utterance("the mug"), a_frame()).segments) == 1
    assert engine.looks == 2
