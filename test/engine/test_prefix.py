"""What is kept of a dialogue changes nothing: every reply equals that of a run from nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.frames import EncodedFrame
from pixelrs_ros.engine.language import EagerLanguage
from pixelrs_ros.engine.prefix import PrefixCache
from pixelrs_ros.engine.session import Session
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.types import Frame, Reply, Status, Turn, Utterance

TEXTS = ("the mug", "No, the blue one. By its handle.", "cut bread", "?")
ANSWERS = (" yes.", "[ASK] Which one?", " It is[OBJ] the mug[SEG], to drink from.")


class RecordingEngine(Engine):
    """Keeps the probabilities of every mask pixel, which a reply does not tell."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.probabilities: list[torch.Tensor] = []

    def mask_logits(self, encoded: EncodedFrame, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, quality = super().mask_logits(encoded, hidden)
        self.probabilities.append(logits.sigmoid())
        return logits, quality

    def recorded(self, reply: Reply) -> tuple[Reply, list[torch.Tensor]]:
        """A reply and the masks that belong to it; the record begins anew."""
        masks, self.probabilities = self.probabilities, []
        assert len(masks) == len(reply.segments)
        return reply, masks


@pytest.fixture
def engine(
    debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer, bias_token: Callable[..., None]
) -> RecordingEngine:
    engine = RecordingEngine(debug_miras, debug_config, debug_tokenizer)
    bias_token(debug_miras.language, engine.layout.seg_id, 6.0)  # a random network asks for masks too seldom
    return engine


@lru_cache
def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)


def assert_same(one: tuple[Reply, list[torch.Tensor]], other: tuple[Reply, list[torch.Tensor]]) -> None:
    assert one[0].answer == other[0].answer
    assert (one[0].status, one[0].text, one[0].phrases) == (other[0].status, other[0].text, other[0].phrases)
    for mine, theirs in zip(one[1], other[1], strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=0.0)
    for segment, expected in zip(one[0].segments, other[0].segments, strict=True):
        assert segment.phrase == expected.phrase
        assert segment.score == pytest.approx(expected.score, abs=1e-4)


@dataclass
class Dialogue:
    prefix: PrefixCache
    turns: list[Turn] = field(default_factory=list)


ENGINE_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 1), st.sampled_from(TEXTS), st.integers(0, 1)),
        st.tuples(st.just("edit"), st.integers(0, 1), st.sampled_from(TEXTS), st.sampled_from(ANSWERS)),
        st.tuples(st.just("drop"), st.integers(0, 1), st.integers(0, 3), st.booleans()),
        st.tuples(st.sampled_from(("reset", "evict")), st.integers(0, 1), st.none(), st.none()),
    ),
    min_size=3,
    max_size=10,
)


def play(engine: RecordingEngine, steps: Sequence[tuple[str, int, object, object]], max_new_tokens: int) -> int:
    """Play dialogues with edited histories; how many replies were compared."""
    dialogues = [Dialogue(engine.new_prefix()) for _ in range(2)]
    said = 0
    for step, which, one, other in steps:
        dialogue = dialogues[which]
        if step == "say":
            encoded, turns = engine.encode(picture(int(other))), tuple(dialogue.turns)  # type: ignore[call-overload]
            reply = engine.answer(encoded, turns, str(one), None, max_new_tokens, prefix=dialogue.prefix)
            cached = engine.recorded(reply)
            afresh = engine.recorded(engine.answer(encoded, turns, str(one), None, max_new_tokens))
            assert_same(cached, afresh)
            dialogue.turns.append(Turn(len(turns), str(one), reply.answer, reply.status))
            said += 1
        elif step == "edit" and dialogue.turns:
            dialogue.turns[-1] = Turn(len(dialogue.turns) - 1, str(one), str(other), Status.ANSWERED)
        elif step == "drop":  # turns of the middle or the oldest ones
            begin = 1 if other else 0
            del dialogue.turns[begin : begin + int(one)]  # type: ignore[call-overload]
        elif step in ("reset", "evict"):
            dialogue.prefix = engine.new_prefix()
            if step == "reset":
                dialogue.turns.clear()
    return said


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENGINE_STEPS)
def test_replies_are_those_of_a_run_from_nothing(
    engine: RecordingEngine, steps: list[tuple[str, int, object, object]]
) -> None:
    play(engine, steps, max_new_tokens=6)


SESSION_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abc"), st.sampled_from(TEXTS), st.integers(0, 2)),
        st.tuples(st.sampled_from("abc"), st.none(), st.none()),
    ),
    min_size=4,
    max_size=12,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SESSION_STEPS)
def test_a_session_with_small_caches_answers_like_one_without(
    engine: RecordingEngine, steps: list[tuple[str, str | None, int | None]]
) -> None:
    session = Session(engine, max_sessions=2, max_turns=3, max_new_tokens=6, max_cached_sessions=1, max_cached_frames=2)
    for session_id, text, seed in steps:
        if text is None or seed is None:
            session.reset(session_id)
            continue
        turns = session.turns(session_id)
        cached = engine.recorded(session.say(Utterance(text, session_id), Frame(picture(seed))))
        assert_same(cached, engine.recorded(engine.answer(engine.encode(picture(seed)), turns, text, None, 6)))
        assert len(session.cached_dialogues) <= 1 and session.num_cached_frames <= 2
    for session_id in "abc":
        session.reset(session_id)
    assert not session.cached_dialogues and not session.num_cached_frames


def test_these_dialogues_hold_masks_and_words(engine: RecordingEngine) -> None:
    seen = {
        len(engine.answer(engine.encode(picture(seed)), [], text, None, 6).segments)
        for seed in (0, 1)
        for text in TEXTS
    }
    assert len(seen) > 1 and max(seen) > 0, "the property above would compare next to nothing"


def test_a_context_that_overflows_drops_turns_and_changes_nothing(engine: RecordingEngine) -> None:
    say = [("say", 0, "No, the blue one. By its handle.", 0)] * 12
    assert play(engine, say, max_new_tokens=40) == 12
    budget = engine.config.text.max_context_tokens - 40
    history = [(say[0][2], " yes" * 8)] * 12
    assert len(engine.layout.prompt(history, say[0][2])) > budget, "the context does overflow"


def test_the_shipped_network_answers_as_from_nothing() -> None:
    shipped = cast(RecordingEngine, RecordingEngine.from_checkpoint("nano"))
    steps: list[tuple[str, int, object, object]] = [
        ("say", 0, "I am thirsty.", 0),
        ("say", 1, "Give me the mug.", 1),
        ("say", 0, "No, the blue one. By its handle.", 0),
        ("edit", 0, "The red one.", ANSWERS[2]),
        ("say", 0, "By its handle.", 0),
        ("say", 0, "Now this.", 1),
        ("drop", 0, 1, False),
        ("say", 0, "And the other one?", 1),
    ]
    assert play(shipped, steps, max_new_tokens=12) == 6


def test_only_what_follows_the_common_prefix_is_read(engine: RecordingEngine) -> None:
    prefix = PrefixCache(EagerLanguage(engine.miras.language))
    embeddings = torch.randn(1, 6, 32, generator=torch.Generator().manual_seed(0))
    assert prefix.reuse([1, (b"a", 1), 2]) == 0
    prefix.extend([1, (b"a", 1), 2, 3], embeddings[:, :4])
    assert prefix.reuse([1, (b"a", 1), 2, 3]) == 3, "the last one's hidden state is wanted"
    assert prefix.reuse([1, (b"a", 1), 4, 5, 6]) == 2
    assert prefix.symbols == [1, (b"a", 1)]
    assert prefix.reuse([1, (b"b", 1), 4]) == 1, "another picture in the same place"
    assert prefix.reuse([7, 8]) == 0


@pytest.mark.parametrize(
    "replaced", ["the blue mug", "the red cup", "the red mug with the lid", "the red", "a red mug"]
)
def test_an_utterance_that_is_replaced_is_read_anew_as_a_whole(engine: RecordingEngine, replaced: str) -> None:
    """Its reader looks both ways, so even words that both share are not the same."""
    assert engine.miras.reader is not None
    encoded, prefix = engine.encode(picture(0)), engine.new_prefix()
    engine.recorded(engine.answer(encoded, [], "the red mug", None, 6, prefix=prefix))
    cached = engine.recorded(engine.answer(encoded, [], replaced, None, 6, prefix=prefix))
    assert_same(cached, engine.recorded(engine.answer(encoded, [], replaced, None, 6)))
    history = [Turn(0, "the red mug", " yes.", Status.ANSWERED), Turn(0, replaced, " yes.", Status.ANSWERED)]
    engine.recorded(engine.answer(encoded, history[:1], "its handle", None, 6, prefix=prefix))
    cached = engine.recorded(engine.answer(encoded, history[1:], "its handle", None, 6, prefix=prefix))
    assert_same(cached, engine.recorded(engine.answer(encoded, history[1:], "its handle", None, 6)))


def test_a_read_that_fails_leaves_nothing_to_trust(engine: RecordingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = EagerLanguage(engine.miras.language)
    prefix = PrefixCache(runner)
    prefix.extend([1, 2], torch.zeros(1, 2, 32))
    with pytest.raises(RuntimeError):
        prefix.extend([3], torch.zeros(1, 1, 7))
    assert prefix.symbols == [] and prefix.reuse([1, 2, 3]) == 0
