from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from torch import nn

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.engine import EncodedFrame, Engine
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.images import masks_to_image, one_thing
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.types import Status, Turn


@pytest.fixture
def engine(debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Engine:
    return Engine(debug_miras, debug_config, debug_tokenizer)


def a_picture(height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


class Script(nn.Module):
    """A language head that says what it is told to, again and again."""

    def __init__(self, ids: Sequence[int], vocab_size: int) -> None:
        super().__init__()
        self.ids, self.vocab_size, self.step = list(ids), vocab_size, 0

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(hidden), self.vocab_size)
        logits[:, self.ids[self.step % len(self.ids)]] = 50.0  # says it with certainty
        self.step += 1
        return logits


def say(engine: Engine, answer: str) -> Script:
    """Make the network's next answers these words; its hidden states stay its own."""
    script = Script(engine.layout.answer(answer), engine.layout.vocab_size)
    engine.miras.language.set_output_embeddings(script)
    return script


def turns(count: int) -> list[Turn]:
    return [Turn(i, f"number {i}?", f" yes, {i}.", Status.ANSWERED) for i in range(count)]


def uncached(
    engine: Engine, encoded: EncodedFrame, history: list[Turn], text: str
) -> tuple[list[int], list[torch.Tensor]]:
    """Greedy decoding that reads the whole sequence anew at each step."""
    layout, language = engine.layout, engine.miras.language
    prompt = layout.prompt([(turn.text, turn.answer) for turn in history], text)
    said: list[int] = []
    at_seg = []
    for _ in range(engine.config.text.max_answer_tokens):
        ids = torch.tensor([[*prompt, *said]])
        embeddings = engine.miras.embed(ids, encoded.image_tokens, ids == layout.image_id)
        hidden = language.base_model(inputs_embeds=embeddings, use_cache=False).last_hidden_state[:, -1]
        logits = language.get_output_embeddings()(hidden)[0]
        logits[layout.unspeakable_ids] = float("-inf")
        token = int(logits.argmax())
        if token == layout.eos_id:
            break
        said.append(token)
        if token == layout.seg_id:
            at_seg.append(hidden)
    return said, at_seg


def test_the_cache_changes_nothing(engine: Engine, bias_token: Callable[..., None]) -> None:
    encoded = engine.encode(a_picture())
    history = turns(2)
    for bias in range(20):  # until it says `[SEG]` among other things
        bias_token(engine.miras.language, engine.layout.seg_id, float(bias))
        said, at_seg = uncached(engine, encoded, history, "which one cuts bread?")
        if at_seg:
            break
    assert len(set(said)) > 2 and 0 < len(at_seg) < len(said), "a telling example"
    reply = engine.answer(encoded, history, "which one cuts bread?")
    assert reply.answer == engine.layout.decode_answer(said)
    assert len(reply.segments) == len(at_seg)
    prompts = engine.miras.prompts(torch.cat(at_seg), encoded.image_tokens)
    logits, quality = engine.miras.sam.decode(
        encoded.sam_embedding, prompts, torch.zeros(len(prompts), dtype=torch.long)
    )
    expected = masks_to_image(logits, 48, 64, engine.config).numpy()
    for segment, mask, score in zip(reply.segments, expected, quality[:, 0].clamp(0, 1).tolist(), strict=True):
        assert (segment.mask == one_thing(mask > 0))[np.abs(mask) > 1e-4].all()
        assert segment.score == pytest.approx(score, abs=1e-4)


def test_the_same_question_gets_the_same_answer(engine: Engine) -> None:
    first, second = (engine.answer(engine.encode(a_picture()), turns(1), "the mug") for _ in range(2))
    assert first.answer == second.answer and first.answer
    assert first.phrases == second.phrases and first.status == second.status
    assert all((a.mask == b.mask).all() for a, b in zip(first.segments, second.segments, strict=True))
    assert set(first.latency_ms) == {"encode", "prefill", "generate", "masks", "total"}
    assert first.latency_ms["total"] >= first.latency_ms["prefill"] + first.latency_ms["generate"]


def test_the_answer_depends_on_picture_and_history(engine: Engine) -> None:
    encoded = engine.encode(a_picture())
    answers = {
        engine.answer(encoded, [], "the mug").answer,
        engine.answer(engine.encode(np.zeros_like(a_picture())), [], "the mug").answer,
        engine.answer(encoded, turns(1), "the mug").answer,
        engine.answer(encoded, [], "the pan").answer,
    }
    assert len(answers) == 4


@pytest.mark.parametrize("size", [(48, 64), (33, 51), (1, 1), (90, 7)])
def test_every_seg_gives_a_phrase_and_a_mask_of_the_pictures_size(engine: Engine, size: tuple[int, int]) -> None:
    say(engine, " It is[OBJ] the mug[SEG], or[OBJ] the pan[SEG].")
    reply = engine.answer(engine.encode(a_picture(*size)), [], "which?")
    assert reply.text == "It is the mug, or the pan."
    assert [segment.phrase for segment in reply.segments] == ["the mug", "the pan"]
    assert [reply.text[phrase.start : phrase.end] for phrase in reply.phrases] == ["the mug", "the pan"]
    assert [phrase.segment for phrase in reply.phrases] == [0, 1]
    assert all(segment.mask.shape == size for segment in reply.segments)
    assert reply.answer == " It is[OBJ] the mug[SEG], or[OBJ] the pan[SEG]."


@pytest.mark.parametrize(
    ("answer", "status"),
    [("[ASK] Which mug?", Status.CLARIFY), ("[NONE] No mug.", Status.NOT_FOUND), (" A mug.", Status.ANSWERED)],
)
def test_answers_without_a_mask(engine: Engine, answer: str, status: Status) -> None:
    say(engine, answer)
    reply = engine.answer(engine.encode(a_picture()), [], "the mug")
    assert (reply.status, reply.segments, reply.answer) == (status, (), answer)


@pytest.mark.parametrize(("logit", "status"), [(1.0, Status.GROUNDED), (-1.0, Status.NOT_FOUND)])
def test_an_empty_mask_is_not_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, logit: float, status: Status
) -> None:
    say(engine, "[OBJ] the mug[SEG]")
    monkeypatch.setattr(
        engine.miras.sam, "decode", lambda *_: (torch.full((1, 1, 32, 32), logit), torch.full((1, 1), 3.0))
    )
    reply = engine.answer(engine.encode(a_picture()), [], "the mug")
    assert reply.status == status
    assert bool(reply.message) == (status == Status.NOT_FOUND)
    assert reply.segments[0].mask.all() == (logit > 0) and reply.segments[0].quality == 1.0


def test_partial_texts_grow_into_the_answer(engine: Engine) -> None:
    say(engine, " It is[OBJ] the mug[SEG], 世界.")
    heard: list[str] = []
    reply = engine.answer(engine.encode(a_picture()), [], "which?", heard.append)
    lengths = [len(text) for text in heard]
    assert lengths == sorted(lengths)
    assert heard[-1] == reply.text == "It is the mug, 世界."
    assert not any("[" in text for text in heard)


def test_what_is_unspeakable_is_never_said(engine: Engine, bias_token: Callable[..., None]) -> None:
    layout = engine.layout
    encoded = engine.encode(a_picture())
    expected = engine.answer(encoded, [], "the mug").answer
    assert layout.image_id in layout.unspeakable_ids
    for token in layout.unspeakable_ids:
        bias_token(engine.miras.language, token, 1e6)
        assert engine.answer(encoded, [], "the mug").answer == expected


def test_answers_end_in_time(engine: Engine) -> None:
    encoded = engine.encode(a_picture())
    for limit, steps in ((None, engine.config.text.max_answer_tokens), (5, 5)):
        script = say(engine, " a" * 200)
        assert engine.answer(encoded, [], "?", max_new_tokens=limit).answer.startswith(" a a")
        assert script.step == steps


@pytest.mark.parametrize("max_new_tokens", [None, 8, 150])
def test_a_long_history_keeps_its_newest_turns(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, max_new_tokens: int | None
) -> None:
    seen: list[list[int]] = []
    embed = engine.miras.embed

    def spy(ids: torch.Tensor, *arguments: torch.Tensor) -> torch.Tensor:
        seen.append(ids[0].tolist())
        return embed(ids, *arguments)

    monkeypatch.setattr(engine.miras, "embed", spy)
    history = turns(60)
    engine.answer(engine.encode(a_picture()), history, "and now?", None, max_new_tokens)
    budget = engine.config.text.max_context_tokens - (max_new_tokens or engine.config.text.max_answer_tokens)
    prompts = [
        engine.layout.prompt([(turn.text, turn.answer) for turn in history[60 - kept :]], "and now?")
        for kept in range(61)
    ]
    kept = prompts.index(seen[0])
    assert 0 < kept < 60
    assert len(prompts[kept]) <= budget < len(prompts[kept + 1])


def test_words_that_do_not_fit_are_refused(engine: Engine) -> None:
    with pytest.raises(BadInputError, match=r"too long: \d+ tokens of a context of 256; say it shorter"):
        engine.answer(engine.encode(a_picture()), turns(1), "the mug " * 200)


def test_blind_eyes_see_gray(engine: Engine) -> None:
    first, second = a_picture(seed=1), a_picture(seed=2)
    blind = [engine.encode(image, blind=True) for image in (first, second)]
    assert torch.equal(blind[0].image_tokens, blind[1].image_tokens)
    assert torch.equal(blind[0].sam_embedding, engine.encode(first).sam_embedding)
    assert not torch.equal(blind[0].sam_embedding, blind[1].sam_embedding)
    assert not torch.equal(blind[0].image_tokens, engine.encode(first).image_tokens)
