from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.adapter import is_adapted
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import ASSISTANT
from pixelrs_ros.training.cache import SplitArrays
from pixelrs_ros.training.concepts import KIND_NAMES, parse_label
from pixelrs_ros.training.config import LossWeights
from pixelrs_ros.training.dialogue import DialoguePhase
from pixelrs_ros.training.packing import EncodedDialogue, encode_dialogue, pack
from pixelrs_ros.training.towers import SIZES


@pytest.fixture
def layout(debug_tokenizer: Tokenizer, debug_config: MirasConfig) -> ChatLayout:
    return ChatLayout(debug_tokenizer, debug_config.clip.num_patches, debug_config.text)


@pytest.fixture
def scenes(split: SplitArrays, layout: ChatLayout) -> list[list[EncodedDialogue]]:
    return [[encode_dialogue(item, layout) for item in dialogues] for dialogues in split.dialogues]


@pytest.fixture(params=["own", "pretrained"])
def miras(request: pytest.FixtureRequest, debug_tokenizer: Tokenizer) -> Miras:
    """A language model of our own, or a pretrained one with an adapter."""
    if request.param == "own":
        own: Miras = request.getfixturevalue("debug_miras")
        return own.requires_grad_(True)
    torch.manual_seed(0)
    return build_miras(request.getfixturevalue("adapted_config"), debug_tokenizer.get_vocab_size()).eval()


@pytest.fixture
def phase(miras: Miras, debug_config: MirasConfig, layout: ChatLayout, split: SplitArrays) -> DialoguePhase:
    torch.manual_seed(0)
    weights = LossWeights(1.0, 1.0, 0.5, 0.5, 1.0, 10.0, 0.5)
    return DialoguePhase("words", copy.deepcopy(miras), debug_config, layout, split, split, weights, 0, 3, 2)


def test_a_dialogue_is_what_the_network_will_read_and_say(
    layout: ChatLayout, scenes: list[list[EncodedDialogue]]
) -> None:
    dialogue = scenes[0][0]
    turns = [("I want to drink.", "[ASK] Which one?")]
    asked = layout.prompt(turns, "The red one, by its handle.")[len(layout.prefix()) :]
    answer = layout.answer("[OBJ] the handle of the red mug[SEG].")
    assert dialogue.ids == [*asked, *answer]
    said = [token for token, answered in zip(dialogue.ids, dialogue.answered, strict=True) if answered]
    assert said == [*layout.answer("[ASK] Which one?"), *answer]
    assert [dialogue.ids[i] for i in dialogue.segs] == [layout.seg_id]
    assert [dialogue.ids[i] for i in dialogue.objs] == [layout.obj_id]
    assert dialogue.concepts == [parse_label("handle of the red mug")]


def test_what_is_learned_is_exactly_the_answers(layout: ChatLayout, scenes: list[list[EncodedDialogue]]) -> None:
    packed = pack(scenes, layout)
    following = packed.ids.roll(-1, dims=1)
    for row, dialogues in enumerate(scenes):
        answers = [t for d in dialogues for t, answered in zip(d.ids, d.answered, strict=True) if answered]
        assert following[row][packed.predict[row]].tolist() == answers
        last = following[row][packed.final[row]].tolist()
        assert last == [t for d in dialogues for t in d.ids[d.objs[-1] + 1 : d.segs[-1]]]
    assert packed.is_image.sum(dim=1).tolist() == [layout.num_image_tokens] * 2
    assert (following[packed.seg_at[:, 0], packed.seg_at[:, 1]] == layout.seg_id).all()
    assert (packed.ids[packed.obj_at[:, 0], packed.obj_at[:, 1]] == layout.obj_id).all()
    concepts = [[c.kind, c.color, c.part] for dialogues in scenes for d in dialogues for c in d.concepts]
    assert packed.concepts.tolist() == concepts and len(packed.seg_at) == len(packed.obj_at) == len(concepts) == 7


@torch.no_grad()
def test_packed_dialogues_are_read_as_if_each_were_alone(
    phase: DialoguePhase, miras: Miras, layout: ChatLayout, scenes: list[list[EncodedDialogue]]
) -> None:
    phase.module.eval()
    tokens = torch.randn(2, layout.num_image_tokens, 32)
    packed = pack(scenes, layout)
    hidden = phase.hidden(packed, tokens)
    head = miras.language.get_output_embeddings()
    for row, dialogues in enumerate(scenes):
        for number, dialogue in enumerate(dialogues):
            ids = torch.tensor([[*layout.prefix(), *dialogue.ids]])
            embeddings = miras.embed(ids, tokens[row : row + 1], ids == layout.image_id)
            alone = miras.language.base_model(inputs_embeds=embeddings, use_cache=False).last_hidden_state[0]
            own = hidden[row][packed.dialogue_of[row] == number]
            picture = hidden[row][packed.dialogue_of[row] == -1]
            assert torch.allclose(torch.cat([picture, own]), alone, atol=1e-4)
            assert torch.allclose(head(own), head(alone[-len(own) :]), atol=1e-3)


def test_a_batch_names_the_masks_of_its_answers(phase: DialoguePhase, split: SplitArrays) -> None:
    torch.manual_seed(0)
    batch = phase.data["train"].batch(np.array([0, 1]), 3)
    assert batch.masks.shape == (7, 48, 64) and batch.places.shape == (7, 2)
    areas = {tuple(c): int(m.sum()) for c, m in zip(batch.packed.concepts.tolist(), batch.masks, strict=True)}
    labels = {"red mug": 12 * 32, "handle of the red mug": 12 * 16, "blue ball": 10 * 20}
    assert areas == {tuple(vars(parse_label(label)).values()): area for label, area in labels.items()}


def test_words_are_learned_from_the_truth(phase: DialoguePhase) -> None:
    frozen = {name: p.clone() for name, p in phase.module.named_parameters() if not p.requires_grad}
    optimizer = torch.optim.Adam([p for p in phase.module.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for step in range(20):
        torch.manual_seed(step)
        loss, terms = phase.mean_loss(np.array([0, 1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(terms["words"])
    assert set(terms) == {"words", "pointed", "found", "meant", "placed", "aligned"}
    assert np.isfinite(losses).all() and np.mean(losses[-3:]) < 0.8 * losses[0]
    with torch.no_grad():
        measured = phase.measure()
    assert 0 <= measured["final_words_right"] <= 1 and set(terms) < set(measured)
    assert bool(frozen) == is_adapted(phase.module.language)
    assert all(torch.equal(p, frozen[name]) for name, p in phase.module.named_parameters() if name in frozen)


def test_what_each_answer_is_about_stands_at_the_token_before_it(
    layout: ChatLayout, scenes: list[list[EncodedDialogue]], phase: DialoguePhase
) -> None:
    packed = pack([[scenes[0][0], scenes[0][2]]], layout)
    assert packed.in_play == [["red mug", "blue ball"], ["handle of the red mug"], ["blue ball"]]
    before = packed.ids[packed.asked_at[:, 0], packed.asked_at[:, 1]]
    assert (before == layout.ids[ASSISTANT]).all()
    assert packed.predict[packed.asked_at[:, 0], packed.asked_at[:, 1]].all()
    batch = phase.data["train"].batch(np.array([0]), 3)
    grid = phase.config.clip.grid_size
    spread = batch.in_play.unflatten(1, (grid, grid))
    for shown, labels in zip(spread, batch.packed.in_play, strict=True):
        left, right = shown[:, : grid // 2].sum(), shown[:, grid // 2 :].sum()  # the mug is left, the ball right
        assert float(left + right) == pytest.approx(1)
        assert (bool(left > 0), bool(right > 0)) == (any("mug" in x for x in labels), "blue ball" in labels)


def test_the_truth_speaks_in_the_language_models_words(phase: DialoguePhase, layout: ChatLayout) -> None:
    oracle, embeddings = phase.module.oracle_tokens, phase.module.language.get_input_embeddings()
    shares = torch.zeros(1, layout.num_image_tokens, sum(SIZES))
    shares[0, 0, KIND_NAMES.index("mug") + 1] = 1.0
    with torch.no_grad():
        token = (oracle(shares, embeddings) - oracle.where)[0, 0]
        assert torch.allclose(token, embeddings(torch.tensor(layout.word("mug"))).mean(dim=0), atol=1e-5)
