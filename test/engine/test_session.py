from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.engine import session as session_module
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.frames import EncodedFrame
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import BadInputError, ConfigError, TurnCancelledError
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.types import Frame, Status, Turn, Utterance


class CountingEngine(Engine):
    """The tiny network, counting how often it looks at a picture."""

    looks = 0

    def encode(
        self, image: np.ndarray, *, blind: bool = False, on_stage: Callable[[], None] = lambda: None
    ) -> EncodedFrame:
        self.looks += 1
        return super().encode(image, blind=blind, on_stage=on_stage)


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


def test_a_frame_that_is_asked_about_again_is_not_read_again(
    session: Session, engine: CountingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[np.ndarray] = []
    picture_key = session_module.picture_key

    def count(image: np.ndarray) -> bytes:
        read.append(image)
        return picture_key(image)

    monkeypatch.setattr(session_module, "picture_key", count)
    first, second = a_frame(), a_frame(1)
    for frame in (first, first, second, Frame(second.image.copy()), first):
        session.say(Utterance("the mug"), frame)
    assert [image is first.image for image in read] == [True, False, False, True]
    assert engine.looks == 2, "it is the pixels that count"


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
    assert session.cached_dialogues == ("c", "b")
    session.reset("c")
    assert session.cached_dialogues == ("b",)


def test_an_answer_that_leaves_no_room_is_refused_at_once(engine: CountingEngine) -> None:
    room = engine.config.text.max_context_tokens - len(engine.layout.prompt([], ""))
    Session(engine, max_new_tokens=room - 1)
    with pytest.raises(ConfigError, match=f"max_new_tokens must be less than {room}.*got {room}"):
        Session(engine, max_new_tokens=room)


def test_masks_come_before_the_words_are_done(engine: CountingEngine) -> None:
    answer = " It is[OBJ] the mug[SEG], or[OBJ] the pan[SEG], to drink from."
    script = iter(engine.layout.answer(answer))
    engine.choose = lambda logits, first: (next(script), 1.0)
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
    reply = session.say(Utterance("the mug"), a_frame())
    (turn,) = session.turns("default")
    assert (turn.text, turn.answer, turn.status) == ("the mug", reply.answer, reply.status)


def test_a_turn_that_is_cancelled_at_any_token_leaves_the_dialogue_as_it_was(engine: CountingEngine) -> None:
    session, other = Session(engine, max_new_tokens=4), Session(engine, max_new_tokens=4)
    for each in (session, other):
        each.say(Utterance("the mug"), a_frame())
    looks = engine.looks
    for tokens in range(3):
        heard: list[str] = []

        def cancel(text: str, heard: list[str] = heard, tokens: int = tokens) -> None:
            heard.append(text)
            if len(heard) > tokens:
                raise TurnCancelledError("enough")

        with pytest.raises(TurnCancelledError):
            session.say(Utterance("the bin"), a_frame(), cancel)
        assert len(heard) == tokens + 1, "it ends at the very next token"
    assert session.turns("default") == other.turns("default")
    assert session.say(Utterance("the pan"), a_frame()).answer == other.say(Utterance("the pan"), a_frame()).answer
    assert engine.looks == looks, "the picture has not become worse"


def test_a_question_outside_of_any_dialogue_leaves_them_all_as_they_were(engine: CountingEngine) -> None:
    session = Session(engine, max_sessions=1, max_new_tokens=4)
    session.say(Utterance("the mug"), a_frame())
    before, expected = session.turns("default"), engine.answer(engine.encode(a_frame().image), [], "the pan", None, 4)
    heard: list[str] = []
    reply = session.ask(Utterance("the pan", session_id="other"), a_frame(), heard.append)
    assert (reply.answer, reply.status, bool(heard)) == (expected.answer, expected.status, True)
    assert session.session_ids() == ("default",) and session.turns("default") == before
    with pytest.raises(BadInputError, match="max_characters"):
        session.ask(Utterance("a" * 2001), a_frame())


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
    monkeypatch.setattr(engine, "choose", lambda logits, *, first: (next(chosen), 1.0))
    with pytest.raises(RuntimeError, match="out of memory"):
        session.say(Utterance("the mug"), a_frame())
    chosen = iter(seg)
    assert session.turns("default") == ()
    assert len(session.say(Utterance("the mug"), a_frame()).segments) == 1
    assert engine.looks == 2


def test_a_correction_takes_the_last_turns_place(
    session: Session, engine: CountingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("the mug", "no, the bin"):
        session.say(Utterance(text), a_frame())
    read: list[int] = []
    embed = engine.miras.embed

    def spy(ids: torch.Tensor, *arguments: torch.Tensor) -> torch.Tensor:
        read.append(ids.shape[1])
        return embed(ids, *arguments)

    monkeypatch.setattr(engine.miras, "embed", spy)
    before = session.turns("default")
    corrected = session.say(Utterance("no, the pan", replace_last=True, stamp_ns=9), a_frame())
    after = session.turns("default")
    assert [(turn.index, turn.text) for turn in after] == [(0, "the mug"), (2, "no, the pan")]
    assert after[1].instruction_stamp_ns == 9 and session.next_index("default") == 3
    # The network saw what it would have seen had the replaced words never been said …
    assert corrected.answer == engine.answer(engine.encode(a_frame().image), before[:1], "no, the pan", None, 4).answer
    # … and read no more than what follows the turn before them.
    assert read[0] <= len(engine.layout.user("no, the pan", first=False)) + 1
    third = session.say(Utterance("thank you"), a_frame())
    assert third.answer == engine.answer(engine.encode(a_frame().image), after, "thank you", None, 4).answer


def test_a_correction_of_nothing_is_a_first_turn(session: Session) -> None:
    session.say(Utterance("the mug", replace_last=True), a_frame())
    assert [turn.index for turn in session.turns("default")] == [0]
    session.say(Utterance("the pan", replace_last=True), a_frame())
    assert [(turn.index, turn.text) for turn in session.turns("default")] == [(1, "the pan")]


def test_a_correction_that_fails_leaves_the_old_turn(session: Session) -> None:
    for text in ("the mug", "the bin"):
        session.say(Utterance(text), a_frame())
    before = session.turns("default")
    with pytest.raises(BadInputError):
        session.say(Utterance("a" * 601, replace_last=True), a_frame())

    def cancel(text: str) -> None:
        raise KeyError("cancelled")

    with pytest.raises(KeyError):
        session.say(Utterance("the pan", replace_last=True), a_frame(), cancel)
    assert session.turns("default") == before and session.next_index("default") == 2


@pytest.mark.parametrize("stages", [1, 2, 4])
def test_a_turn_can_be_ended_between_the_stages_of_encoding(session: Session, stages: int) -> None:
    passed: list[int] = []

    def end() -> None:
        passed.append(1)
        if len(passed) == stages:
            raise TurnCancelledError("no more")

    for answer in (session.say, session.ask):
        passed.clear()
        with pytest.raises(TurnCancelledError):
            answer(Utterance("the mug"), a_frame(), on_stage=end)
        assert len(passed) == stages
    assert session.turns("default") == ()
    whole = session.say(Utterance("the mug"), a_frame(), on_stage=lambda: passed.append(1))
    assert whole.status.answered and len(passed) > stages + 4, "it can be asked again"
    count = len(passed)
    session.say(Utterance("the mug"), a_frame(1))
    assert len(passed) == count, "nobody is asked for a turn that is over"


def test_the_network_is_shown_no_more_history_than_the_budget(engine: CountingEngine) -> None:
    turns = [Turn(index, f"number {index}", " yes.", Status.ANSWERED) for index in range(4)]
    one = len(engine.layout.user("number 0", first=False)) + len(engine.layout.answer(" yes."))
    encoded = engine.encode(a_frame().image)
    for budget, kept in ((0, 0), (one - 1, 0), (one, 1), (3 * one, 3), (10_000, 4), (None, 4)):
        bounded = engine.answer(encoded, turns, "which?", None, 4, max_history_tokens=budget)
        assert bounded.answer == engine.answer(encoded, turns[4 - kept :], "which?", None, 4).answer
    session = Session(engine, max_new_tokens=4, max_history_tokens=one)
    for index in range(4):
        session.say(Utterance(f"number {index}"), a_frame())
    assert len(session.turns("default")) == 4, "what is not shown is still remembered"


def test_silence_ends_a_dialogue_and_frees_its_caches(engine: CountingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    timed = functools.partial(DialogueStore, clock=lambda: clock[0])
    monkeypatch.setattr("pixelrs_ros.engine.session.DialogueStore", timed)
    session = Session(engine, max_new_tokens=2, session_idle_s=60.0)
    session.say(Utterance("the mug", "a"), a_frame(0))
    clock[0] = 50.0
    session.say(Utterance("the mug", "b"), a_frame(1))
    assert session.maintain() == []
    clock[0] = 70.0
    (notice,) = session.maintain()
    assert "'a' is over" in notice.text and not notice.is_error
    assert session.session_ids() == ("b",) and session.cached_dialogues == ("b",) and session.num_cached_frames == 1
    clock[0] = 200.0
    session.say(Utterance("the pan", "b"), a_frame(1))
    assert [turn.index for turn in session.turns("b")] == [0], "the next turn itself finds that the last is long past"


def test_a_dialogue_survives_its_process(engine: CountingEngine, tmp_path: Path) -> None:
    frames = a_frame(0), Frame(a_frame(1).image, stamp_ns=5, frame_id="camera")
    first = Session(engine, max_new_tokens=4, storage=Storage(tmp_path))
    first.say(Utterance("the mug", stamp_ns=3), frames[0])
    seg = engine.layout.answer("[OBJ] it[SEG]")
    chosen = iter(seg)
    choose = engine.choose
    engine.choose = lambda logits, first: (next(chosen), 1.0)
    masks = [first.say(Utterance("and the pan", stamp_ns=4), frame).segments[0].mask for frame in frames[1:]]
    engine.choose = choose
    first.say(Utterance("thank you", stamp_ns=6), frames[1])
    turns = first.turns("default")
    first.close()
    again = Session(engine, max_new_tokens=4, storage=Storage(tmp_path))
    assert again.turns("default") == turns
    assert (turns[1].instruction_stamp_ns, turns[1].image_stamp_ns, turns[1].frame_id) == (4, 5, "camera")
    reply = again.say(Utterance("go on"), frames[1])
    assert reply.answer == engine.answer(engine.encode(frames[1].image), turns, "go on", None, 4).answer
    assert again.next_index("default") == 4
    stored = again.evidence("default")
    assert [one.digest for _, one in stored][1] == [one.digest for _, one in stored][2]
    for (_, one), frame in zip(stored, (frames[0], *[frames[1]] * 3), strict=True):
        assert one.picture is not None
        seen = cv2.imdecode(np.frombuffer(one.picture, np.uint8), cv2.IMREAD_COLOR)
        assert seen is not None and seen.shape == frame.image.shape
    np.testing.assert_array_equal(stored[1][1].masks[0].mask(), masks[0])
    again.close()


def test_a_turn_is_stored_before_its_answer_is_given(engine: CountingEngine, tmp_path: Path) -> None:
    session = Session(engine, max_new_tokens=2, storage=Storage(tmp_path, images=False))
    session.say(Utterance("the mug"), a_frame())
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tmp_path.glob("dialogues.sqlite3*"):  # as a killed process leaves them
        shutil.copy(path, copy)
    found = Session(engine, max_new_tokens=2, storage=Storage(copy))
    assert found.turns("default") == session.turns("default") != ()
    assert found.evidence("default")[0][1].picture is None
    session.close()
    found.close()


def test_without_storage_nothing_is_written(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    session.say(Utterance("the mug"), a_frame())
    assert session.storage_state().problem is None and session.evidence("default")[0][1].picture is None
    session.close()
    assert not list(tmp_path.iterdir())


def test_names_that_no_dialogue_may_have(session: Session) -> None:
    for name in ("a" * 257, "\ud800"):
        with pytest.raises(BadInputError, match="session_id"):
            session.say(Utterance("the mug", name), a_frame())
        assert session.turns(name) == () and session.reset(name) == 0


@pytest.mark.parametrize("stored", [False, True])
def test_new_bounds_hold_at_once(engine: CountingEngine, tmp_path: Path, stored: bool) -> None:
    storage = Storage(tmp_path, images=False, max_days=0.0, max_mb=100.0) if stored else None
    session = Session(engine, max_sessions=3, max_turns=3, max_new_tokens=4, storage=storage)
    for session_id in ("a", "b"):
        for text in ("one", "two", "three"):
            session.say(Utterance(text, session_id), a_frame())
    bounds = {
        "max_sessions": 1, "max_turns": 2, "max_characters": 5, "max_new_tokens": 3, "max_cached_sessions": 1,
        "max_cached_frames": 1, "max_frame_cache_mb": 10.0, "max_history_tokens": 0, "session_idle_s": 0.0,
    }  # fmt: skip
    with pytest.raises(ConfigError, match="max_new_tokens"):
        session.set_bounds(**{**bounds, "max_new_tokens": 100_000})  # type: ignore[arg-type]
    assert len(session.turns("a")) == 3
    session.set_bounds(**bounds)  # type: ignore[arg-type]
    assert session.session_ids() == ("b",)
    assert len(session.turns("a")) == (2 if stored else 0), "what is on disk is not forgotten"
    assert [turn.text for turn in session.turns("b")] == ["two", "three"]
    assert session.next_index("b") == 3
    assert session.cached_dialogues == ("b",)
    with pytest.raises(BadInputError, match="at most 5"):
        session.say(Utterance("longer", "b"), a_frame())
    session.say(Utterance("four", "b"), a_frame())
    assert [turn.text for turn in session.turns("b")] == ["three", "four"]
    session.close()
