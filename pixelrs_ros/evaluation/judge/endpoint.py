"""A judge at an OpenAI-compatible endpoint: vLLM, Ollama, llama.cpp, or a company's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import openai
from pydantic import BaseModel

from pixelrs_ros.endpoint.endpoint import REFUSED, client_options, explained, held_to, words_of

RETRIES = 4  # with backoff, after a broken connection, a timeout, 429 and 5xx


class EndpointJudge:
    """Asks a model, and has the server hold it to the JSON that is wanted; some servers ignore that.

    It is no `Endpoint`, which asks again and mends until the answer is what is wanted: a judge's first words count.

    Attributes:
        identity: See `Judge`; without the key.
    """

    def __init__(self, url: str, model: str, *, temperature: float, max_tokens: int, timeout_s: float) -> None:
        """Asks nothing yet.

        Args:
            url: Such as http://localhost:8000/v1.
            model: As the endpoint calls it.
            temperature: 0 gives the likeliest words.
            max_tokens: An answer is cut off there.
            timeout_s: For one answer; then it is tried again.
        """
        self.identity: Mapping[str, Any] = {"model": model, "temperature": temperature, "max_tokens": max_tokens}
        self._url = url
        self._holds = True  # whether the server takes a schema; some refuse
        self._client = openai.OpenAI(**client_options(url, timeout_s, RETRIES))

    def ask(self, prompt: str, wanted: type[BaseModel], seed: int) -> str:
        """See `Judge.ask`.

        Raises:
            ConfigError: There is no such endpoint or model, or it wants another key: no question will be answered.
            EndpointError: This question got no answer.
        """
        with explained(self._url):
            if self._holds:
                try:
                    return words_of(self._send(prompt, seed, response_format=held_to(wanted)), self._url)
                except openai.APIStatusError as error:
                    if error.status_code not in REFUSED:
                        raise
            words = words_of(self._send(prompt, seed), self._url)  # the prompt says itself what JSON is wanted
            self._holds = False
            return words

    def _send(self, prompt: str, seed: int, **form: Any) -> Any:
        messages: Any = [{"role": "user", "content": prompt}]
        return self._client.chat.completions.create(messages=messages, seed=seed, **form, **self.identity)
