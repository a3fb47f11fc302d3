"""What every answerer holds, whatever the network behind it: the contract of `pixelrs_ros.engine.answerer`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from small_miras import build_small, without_high_resolution
from tiny_vlm import force, write_vlm
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.answerer import Answerer
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.engine.session import Session
from pixelrs_ros.engine.vlm.engine import VlmEngine
from pixelrs_ros.errors import BadInputError, ConfigError, OutOfMemoryError, TurnCancelledError
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.types import Frame, Status, Turn, Utterance

IMAGE = np.random.default_rng(0).integers(0, 256, (90, 150, 3), np.uint8)
FRAME = Frame(IMAGE)
# One answer of each kind, in the form that the network itself has.
MIRAS = {
    Status.GROUNDED: "here is[OBJ] the red mug[SEG] and[OBJ] the handle[SEG].",
    Status.ANSWERED: "it is red.",
    Status.NOT_FOUND: "[NONE]there is none.",
    Status.CLARIFY: "[ASK]which one?",
}
_THINGS = (
    '{"phrase": "the red mug", "bbox_2d": [10, 20, 60, 70], "point_2d": [30, 40]}, '
    '{"phrase": "the handle", "bbox_2d": [50, 20, 60, 70]}'
)
VLM = {
    Status.GROUNDED: f'here is the red mug and the handle.", "ask": false, "objects": [{_THINGS}]}}',
    Status.ANSWERED: 'it is red."}',
    Status.NOT_FOUND: 'there is none.", "ask": false, "objects": []}',
    Status.CLARIFY: 'which one?", "ask": true, "objects": []}',
}
VLMS = {"qwen3_vl": ("qwen3_vl",), "qwen2_5_vl": ("qwen2_5_vl",), "with SAM 3": ("qwen3_vl", "sam3_video")}


@dataclass
class Case:
    """An answerer, and how to make it end a turn in a certain way."""

    engine: Answerer
    say: Callable[[Status], None]
    choose_freely: Callable[[], None]


def miras_case(miras: Miras, config: MirasConfig, tokenizer: Tokenizer) -> Case:
    engine = Engine(miras, config, tokenizer)
    own = engine.choose

    def say(status: Status) -> None:
        script = iter(engine.layout.answer(MIRAS[status]))
        engine.choose = lambda logits, first: (next(script), 0.9)

    return Case(engine, say, lambda: setattr(engine, "choose", own))


def vlm_case(folder: Path) -> Case:
    engine = open_answerer(folder)
    assert isinstance(engine, VlmEngine)
    own = engine.choose
    return Case(engine, lambda status: force(engine, [VLM[status]]), lambda: setattr(engine, "choose", own))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: write_vlm(tmp_path_factory.mktemp("vlm") / "it", *parts) for name, parts in VLMS.items()}


@pytest.fixture(params=["MIRAS", "CLIP alone", *VLMS])
def case(
    request: pytest.FixtureRequest, folders: dict[str, Path], debug_miras: Miras, debug_config: MirasConfig,
    debug_tokenizer: Tokenizer,
) -> Iterator[Case]:  # fmt: skip
    threads = torch.get_num_threads()
    if request.param == "MIRAS":
        yield miras_case(debug_miras, debug_config, debug_tokenizer)
    elif request.param == "CLIP alone":  # of the LISA family, and as its training reads the state of [SEG]
        config = dataclasses.replace(without_high_resolution(debug_config), seg_state_back=3)
        yield miras_case(build_small(config, debug_tokenizer.get_vocab_size()), config, debug_tokenizer)
    else:
        yield vlm_case(folders[request.param])
    torch.set_num_threads(threads)


@pytest.mark.parametrize("status", list(MIRAS))
def test_a_turn_ends_as_the_network_says(case: Case, status: Status) -> None:
    case.say(status)
    reply = case.engine.answer(case.engine.encode(IMAGE), (), "what I want")
    assert reply.text
    assert len(reply.segments) == len(reply.phrases)
    # Masks of random weights may be empty; then the target is not there.
    shown = status == Status.GROUNDED and any(segment.mask.any() for segment in reply.segments)
    assert reply.status == (status if shown or status != Status.GROUNDED else Status.NOT_FOUND)
    assert bool(reply.segments) == (status == Status.GROUNDED)
    assert {"encode", "prefill", "generate", "masks", "total"} <= set(reply.latency_ms)


def test_masks_and_phrases_are_the_pictures_and_the_texts(case: Case) -> None:
    case.say(Status.GROUNDED)
    parts: list[str] = []
    segments: list[str] = []
    reply = case.engine.answer(
        case.engine.encode(IMAGE), (), "the mug", parts.append, on_segment=lambda one: segments.append(one.phrase)
    )
    assert [segment.mask.shape for segment in reply.segments] == [IMAGE.shape[:2]] * 2
    named = [reply.text[phrase.start : phrase.end] for phrase in reply.phrases]
    assert named == segments == [segment.phrase for segment in reply.segments] == ["the red mug", "the handle"]
    assert [phrase.segment for phrase in reply.phrases] == [0, 1]
    assert all(0 <= segment.score <= 1 for segment in reply.segments)
    assert parts[-1] == reply.text
    assert all(reply.text.startswith(part.strip()) for part in parts)


def test_the_memory_of_the_first_picture_is_known_as_well(case: Case) -> None:
    """Session bounds what it keeps by it."""
    first, second = (case.engine.encode(picture) for picture in (IMAGE, IMAGE[:, ::-1].copy()))
    assert first.num_bytes == second.num_bytes > 1000


def test_a_box_alone_cuts_a_mask_that_depends_on_it(case: Case) -> None:
    encoded = case.engine.encode(IMAGE)
    masks = [case.engine.box_mask(encoded, box) for box in ((10, 5, 60, 40), (80, 30, 149, 89), (10, 5, 60, 40))]
    assert all(mask.shape == IMAGE.shape[:2] and mask.dtype == np.bool_ for mask in masks)
    assert (masks[0] == masks[2]).all() and (masks[0] != masks[1]).any()


def test_partial_words_come_before_the_end(case: Case) -> None:
    case.say(Status.ANSWERED)
    parts: list[str] = []
    case.engine.answer(case.engine.encode(IMAGE), (), "the mug", parts.append)
    assert len(set(parts)) > 2


def test_a_listener_can_end_a_turn(case: Case) -> None:
    session = Session(case.engine)

    def stop(*_: object) -> None:
        raise TurnCancelledError("enough")

    case.say(Status.GROUNDED)
    for listener in ("on_stage", "on_text", "on_segment"):
        case.say(Status.GROUNDED)
        with pytest.raises(TurnCancelledError):
            session.say(Utterance("the mug"), Frame(IMAGE.copy()), **{listener: stop})
    assert session.turns("default") == ()
    case.say(Status.ANSWERED)
    assert session.say(Utterance("the mug"), FRAME).text == "it is red."


def test_a_turn_about_a_known_picture_can_be_ended_before_and_at_the_end_of_reading(case: Case) -> None:
    """What was read until then may be kept, and must not change the next answer."""
    session = Session(case.engine)
    case.say(Status.ANSWERED)
    session.say(Utterance("the mug"), FRAME)
    chosen: list[torch.Tensor] = []
    case.say(Status.CLARIFY)
    spy(case.engine, chosen)

    def stop(*_: object) -> None:
        raise TurnCancelledError("enough")

    for listener, words in (("on_stage", 0), ("on_text", 1)):
        with pytest.raises(TurnCancelledError):
            session.say(Utterance("and the handle?"), FRAME, **{listener: stop})
        assert len(chosen) == words, "nobody is asked for a word once nobody waits"
    logits: list[list[torch.Tensor]] = []
    for own in (session, None):
        case.say(Status.CLARIFY)
        logits.append([])
        spy(case.engine, logits[-1])
        if own is not None:
            own.say(Utterance("and the handle?"), FRAME)
        else:
            case.engine.answer(case.engine.encode(IMAGE), session.turns("default")[:1], "and the handle?")
    torch.testing.assert_close(*logits, rtol=1e-4, atol=1e-4)


def test_the_cache_changes_nothing(case: Case) -> None:
    """Logits of the same turns with and without it, also after another picture and with turns left out."""
    engine = case.engine
    pictures = [engine.encode(IMAGE), engine.encode(IMAGE[:, ::-1].copy())]
    prefix = engine.new_prefix()
    turns: list[Turn] = []
    for number, picture in enumerate([0, 0, 1, 1, 0]):
        seen: list[list[torch.Tensor]] = []
        for kept in (prefix, None):
            case.say(Status.CLARIFY)
            seen.append([])
            spy(engine, seen[-1])
            reply = engine.answer(pictures[picture], turns[-2:], f"words {number}", prefix=kept)
        assert len(seen[0]) == len(seen[1]) > 3
        torch.testing.assert_close(seen[0], seen[1], rtol=1e-4, atol=1e-4)
        turns.append(Turn(number, f"words {number}", reply.answer, reply.status))
    assert len(prefix.symbols) > 10


def spy(engine: Answerer, into: list[torch.Tensor]) -> None:
    """Keeps the logits that the words are chosen from."""
    chosen = engine.choose  # type: ignore[attr-defined]

    def choose(logits: torch.Tensor, **kwargs: bool) -> tuple[int, float]:
        into.append(logits.clone())
        answer: tuple[int, float] = chosen(logits, **kwargs)
        return answer

    engine.choose = choose  # type: ignore[attr-defined]


def test_a_long_dialogue_loses_its_oldest_turns_and_long_words_are_refused(case: Case) -> None:
    encoded = case.engine.encode(IMAGE)
    turns = [Turn(number, "a mug " * 20, "it is red.", Status.ANSWERED) for number in range(60)]
    case.say(Status.ANSWERED)
    assert case.engine.answer(encoded, turns, "the mug", max_new_tokens=30).status == Status.ANSWERED
    with pytest.raises(BadInputError, match="too long"):
        case.engine.answer(encoded, (), "the mug " * 2000)
    with pytest.raises(ConfigError, match="max_new_tokens"):
        case.engine.check_answer_length(100_000)


def first_logits(case: Case, encoded: object, turns: list[Turn], budget: int | None = None) -> torch.Tensor:
    """Those that the first word is chosen from."""
    seen: list[torch.Tensor] = []
    case.say(Status.ANSWERED)
    spy(case.engine, seen)
    case.engine.answer(encoded, turns, "the mug", max_history_tokens=budget)
    return seen[0]


def test_a_budget_for_the_past_leaves_its_oldest_turns_out(case: Case) -> None:
    encoded = case.engine.encode(IMAGE)
    turns = [Turn(number, f"a pan {number}", "it is red.", Status.ANSWERED) for number in range(2)]
    whole, last, none = (first_logits(case, encoded, turns[start:]) for start in range(3))
    torch.testing.assert_close(first_logits(case, encoded, turns, 0), none)
    torch.testing.assert_close(first_logits(case, encoded, turns, 10_000), whole)
    assert not torch.allclose(whole, last, atol=1e-3) and not torch.allclose(last, none, atol=1e-3)


def test_blind_words_are_the_same_whatever_the_picture(case: Case) -> None:
    other = IMAGE[::-1].copy()
    seen, unseen = (
        [first_logits(case, case.engine.encode(picture, blind=blind), []) for picture in (IMAGE, other)]
        for blind in (False, True)
    )
    torch.testing.assert_close(unseen[0], unseen[1])
    assert not torch.allclose(seen[0], seen[1], atol=1e-3)


@pytest.mark.parametrize("stage", ["encode", "prefill", "second word", "mask"])
def test_memory_that_is_used_up_is_said_and_freed(case: Case, stage: str) -> None:
    """Wherever in the network it happens: nothing half-made is left that could change a later answer."""
    session = Session(case.engine)
    case.say(Status.ANSWERED)
    session.say(Utterance("first"), FRAME)
    case.say(Status.GROUNDED)
    heard = {"on_stage": after(0), "on_text": None, "on_segment": None}
    picture = FRAME
    if stage == "encode":
        picture = Frame(IMAGE[:, ::-1].copy())
    elif stage == "second word":
        heard |= {"on_stage": None, "on_text": after(1)}
    elif stage == "mask":
        heard |= {"on_stage": None, "on_segment": after(0)}
    with pytest.raises(OutOfMemoryError, match=r"CUDA out of memory.*max_cached_frames"):
        session.say(Utterance("second"), picture, **heard)
    assert session.num_cached_frames == 0
    assert session.cached_dialogues == ()
    logits: list[list[torch.Tensor]] = []
    for own in (True, False):
        case.say(Status.CLARIFY)
        logits.append([])
        spy(case.engine, logits[-1])
        if own:
            session.say(Utterance("third"), FRAME)
        else:
            case.engine.answer(case.engine.encode(IMAGE), session.turns("default")[:1], "third")
    torch.testing.assert_close(*logits, rtol=1e-4, atol=1e-4)
    assert [turn.text for turn in session.turns("default")] == ["first", "third"]


def after(calls: int) -> Callable[..., None]:
    """Raises what torch raises within the network, at the call after so many."""
    left = iter(range(calls))

    def exhausted(*_: object) -> None:
        if next(left, None) is None:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    return exhausted


def test_a_picture_is_looked_at_once_and_blind_is_another_picture(case: Case) -> None:
    session = Session(case.engine)
    for _ in range(2):
        case.say(Status.ANSWERED)
        latency = session.say(Utterance("the mug"), FRAME).latency_ms["encode"]
    assert latency == 0.0
    assert case.engine.encode(IMAGE, blind=True).key != case.engine.encode(IMAGE).key


def test_answers_of_data_become_history(case: Case) -> None:
    case.choose_freely()
    kept = case.engine.history_answer("here is[OBJ] the red mug[SEG].", Status.GROUNDED)
    assert "the red mug" in kept
    case.say(Status.ANSWERED)
    turns = (Turn(0, "the mug", kept, Status.GROUNDED),)
    assert case.engine.answer(case.engine.encode(IMAGE), turns, "and?").text == "it is red."
