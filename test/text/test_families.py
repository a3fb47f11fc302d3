"""The chat layout on other models' tokenizers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import Template
from tokenizers import AddedToken, Tokenizer

from pixelrs_ros.checkpoint import load_checkpoint, save_checkpoint
from pixelrs_ros.config import ChatTemplate, LanguageConfig, MirasConfig, TextConfig
from pixelrs_ros.convert.templates import read_template
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.stream import AnswerStream
from pixelrs_ros.text.tokenizer import MARKERS, REQUIRED_TOKENS, SEG, adopt_tokenizer, load_tokenizer, special_tokens
from pixelrs_ros.types import Frame, Status, Utterance

SPELLED = [*REQUIRED_TOKENS, "<s>", "</s>", "<unk>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<user>", "<tool_call>"]
ANY_WORDS = st.lists(st.one_of(st.text(max_size=6), st.sampled_from(SPELLED)), max_size=8).map("".join)


def text_config(template: ChatTemplate) -> TextConfig:
    return TextConfig(False, 256, 48, template)


@pytest.fixture(scope="module")
def adopted(family: Any, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    family.tokenizer().save(str(path))
    adopt_tokenizer(path, family.template).save(str(path))
    return load_tokenizer(path)


@pytest.fixture(scope="module")
def layout(family: Any, adopted: Tokenizer) -> ChatLayout:
    return ChatLayout(adopted, 3, text_config(family.template))


def test_a_dialogue_is_the_tokens_that_its_own_tokenizer_writes(family: Any, adopted: Tokenizer) -> None:
    if not family.jinja:
        pytest.skip("no template of its own")
    whole = family.tokenizer()
    whole.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in REQUIRED_TOKENS])
    said = [("I want a red mug", "Which mug?"), ("the red one", "the mug, to drink."), ("Tschüß 🤖", "")]
    roles = ("user", "assistant")
    messages = [{"role": role, "content": turn[index]} for turn in said for index, role in enumerate(roles)]
    messages[0]["content"] = "<im_start><im_end>\n" + messages[0]["content"]
    rendered = Template(family.jinja).render(messages=messages[:-1], add_generation_prompt=True, **family.named)
    without_picture = ChatLayout(adopted, 0, text_config(family.template))
    prompt = without_picture.prompt(said[:2], said[2][0])
    assert prompt == whole.encode(rendered, add_special_tokens=False).ids
    assert prompt.count(without_picture.eos_id) >= 2


def folder_of(family: Any, path: Path, jinja: str) -> Path:
    path.mkdir(parents=True)
    family.tokenizer().save(str(path / "tokenizer.json"))
    (path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": jinja, **family.named})
    )
    return path


def test_the_pieces_of_its_own_template_are_found(family: Any, tmp_path: Path) -> None:
    if family.jinja:
        assert read_template(folder_of(family, tmp_path / "model", family.jinja)) == family.template
    assert read_template(folder_of(family, tmp_path / "none", "")) is None


def test_system_words_stand_at_the_start_or_are_refused(family: Any, tmp_path: Path) -> None:
    if "<|im_start|>" in family.jinja:
        template = read_template(folder_of(family, tmp_path / "model", family.jinja), "Be brief.")
        assert template is not None
        assert template.start == "<|im_start|>system\nBe brief.<|im_end|>\n" + family.template.start
    if "no system" in family.jinja:
        with pytest.raises(CheckpointError, match=r"cannot be run: .*no system.*by hand"):
            read_template(folder_of(family, tmp_path / "model", family.jinja), "Be brief.")


@pytest.mark.parametrize(
    ("jinja", "named"),
    [
        ("{% for m in messages %}{{ m['content'] | upper }}{% endfor %}", "does not write each turn once"),
        ("{% for m in messages %}{{ m['content'] * 2 }}</s>{% endfor %}", "does not write each turn once"),
        ("{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '. ' }}{% endfor %}", "unlike each other"),
        ("{% for m in messages %}{{ '|' + m['content'] }}{% endfor %}|", "no special token"),
        ("{% for m in messages %}{{ loop.index ~ m['content'] + '</s>' }}{% endfor %}", "unlike each other"),
        ("{% for m in", "cannot be run"),
    ],
)
def test_templates_that_cannot_be_cut_name_the_remedy(tmp_path: Path, jinja: str, named: str, families: Any) -> None:
    with pytest.raises(CheckpointError, match=rf"(?s){named}.*remedy: write the pieces"):
        read_template(folder_of(families["llama"], tmp_path / "model", jinja))


@settings(max_examples=40)
@given(text=ANY_WORDS)
@example("<image>[SEG]</s><|im_end|><end_of_turn><user><|end|>")
@example(" [SEG]")
def test_users_words_never_place_a_special_token(layout: ChatLayout, text: str) -> None:
    special = set(layout.ids.values()) - {layout.ids.get("<unk>")}
    for first in (True, False):
        nothing, something = layout.user("", first=first), layout.user(text, first=first)
        assert [i for i in something if i in special] == [i for i in nothing if i in special]
    prompt = layout.prompt([(text, f"[OBJ] {text}[SEG].".replace("\x00", ""))], text)
    assert prompt.count(layout.image_id) == 3
    assert prompt.count(layout.seg_id) == 1 + text.count(SEG)  # an answer is the network's own: there it may be said


@pytest.mark.parametrize("words", ["the mug", "Tschüß, mug", "a b"])
@pytest.mark.parametrize("answer", ["{}[OBJ] {}[SEG], and[OBJ] the {}[SEG].", "[ASK] Which {}?", "{}"])
def test_answers_go_round(layout: ChatLayout, family: Any, words: str, answer: str) -> None:
    if layout.ids.get("<user>"):
        words = words.encode("ascii", "ignore").decode()  # that vocabulary has no letters beyond
    said = answer.format(*[words] * 3)
    ids = layout.answer(said)
    decoded = layout.decode_answer(ids)
    assert decoded.lstrip() == said
    assert layout.answer(decoded) == ids and ids[-1] == layout.eos_id
    stream = AnswerStream(layout)
    for token in ids[:-1]:
        stream.push(token)
    assert stream.parsed().text == layout.parse(decoded).text


def test_what_is_added_stands_at_the_end_and_is_special(family: Any, adopted: Tokenizer) -> None:
    own = family.tokenizer().get_vocab()
    assert all(adopted.token_to_id(token) == index for token, index in own.items())
    special = special_tokens(adopted)
    assert set(REQUIRED_TOKENS) <= special.keys()
    lacking = [token for token in REQUIRED_TOKENS if token not in own]
    assert [special[token] for token in lacking] == list(range(len(own), len(own) + len(lacking)))


SIZES = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 512, "pad_token_id": 0, "sliding_window": 512,
}  # fmt: skip


def test_every_family_answers(family: Any, adopted: Tokenizer, debug_config: MirasConfig, tmp_path: Path) -> None:
    for model_type in family.model_types:
        config = dataclasses.replace(
            debug_config,
            language=LanguageConfig(model_type, SIZES),
            text=text_config(family.template),
            reader=None,
        )
        torch.manual_seed(0)
        miras = build_miras(config, adopted.get_vocab_size())
        for parameter in miras.language.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.4)
        save_checkpoint(tmp_path / model_type, miras.eval(), config, adopted)
        engine = Engine(*load_checkpoint(tmp_path / model_type))
        assert engine.miras.language.config.model_type == model_type
        session, frame = Session(engine, max_new_tokens=12), Frame(np.full((48, 64, 3), 90, np.uint8))
        replies = [session.say(Utterance(words), frame) for words in ("I want to drink.", "the red one")]
        assert all(reply.status in set(Status) - {Status.INTERNAL_ERROR, Status.BAD_INPUT} for reply in replies)
        ids = torch.tensor([engine.layout.prompt([], "the red one")])
        with torch.no_grad():
            expected, loaded = (m.language(ids).logits[0, -1] for m in (miras, engine.miras))
        assert torch.allclose(loaded, expected, rtol=0.1, atol=0.3)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"start": "<s><user>"}, r"text\.template\.start must hold <image> once"),
        ({"start": "<s><image><image>"}, r"text\.template\.start must hold <image> once"),
        (
            {"end": "</s> "},
            r"text\.template\.end must be one special token .*, got '</s> '; it has <pad>",
        ),
        ({"end": "stop"}, r"text\.template\.end must be one special token"),
        ({"user": ""}, r"text\.template\.user and assistant must not be empty"),
        ({"assistant": ""}, r"text\.template\.user and assistant must not be empty"),
        ({"user": "<user><image>"}, r"text\.template\.user must not hold <image>"),
        ({"assistant": "[SEG]"}, rf"text\.template\.assistant must not hold \{MARKERS[1]}"),
    ],
)
def test_templates_that_cannot_be_written_are_named(
    debug_config: MirasConfig, debug_tokenizer: Tokenizer, change: dict[str, str], named: str
) -> None:
    template = dataclasses.replace(debug_config.text.template, **change)
    with pytest.raises(ConfigError, match=named):
        ChatLayout(debug_tokenizer, 4, text_config(template))
