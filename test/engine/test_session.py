from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine import session as session_module
from pixelrs_ros.engine.engine import EncodedFrame, Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import BadInputError
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


def test_few_pictures_are_kept(session: Session, engine: CountingEngine) -> None:
    for seed in range(session_module.MAX_ENCODED_FRAMES + 1):
        session.say(Utterance("the mug"), a_frame(seed))
    looks = engine.looks
    session.say(Utterance("the mug"), a_frame(1))
    assert engine.looks == looks
    session.say(Utterance("the mug"), a_frame(0))
    assert engine.looks == looks + 1


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
