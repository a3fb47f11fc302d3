"""A judge at an OpenAI-compatible endpoint: vLLM, Ollama, llama.cpp, or a company's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import openai
from openai.types.shared_params.response_format_json_schema import JSONSchema
from pydantic import BaseModel

from pixelrs_ros.errors import ConfigError, PixelrsError

KEY_VARIABLE = "OPENAI_API_KEY"  # as the client itself calls it; local servers want none
RETRIES = 4  # with backoff, after a broken connection, a timeout, 429 and 5xx


class EndpointJudge:
    """Asks a model, and has the server hold it to the JSON that is wanted; some servers ignore that.

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
        key = os.environ.get(KEY_VARIABLE) or "none"
        self._client = openai.OpenAI(base_url=url, api_key=key, timeout=timeout_s, max_retries=RETRIES)

    def ask(self, prompt: str, wanted: type[BaseModel], seed: int) -> str:
        """See `Judge.ask`.

        Raises:
            ConfigError: There is no such endpoint or model, or it wants another key: no question will be answered.
            PixelrsError: This question got no answer.
        """
        form = JSONSchema(name=wanted.__name__, schema=wanted.model_json_schema(), strict=True)
        try:
            reply = self._client.chat.completions.create(
                model=self.identity["model"],
                messages=[{"role": "user", "content": prompt}],
                seed=seed,
                temperature=self.identity["temperature"],
                max_tokens=self.identity["max_tokens"],
                response_format={"type": "json_schema", "json_schema": form},
            )
        except openai.APITimeoutError as error:
            raise PixelrsError(f"{self._url}: no answer in time") from error
        except (openai.APIConnectionError, openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise ConfigError(f"{self._url}: {error}; remedy: check --endpoint and {KEY_VARIABLE}") from error
        except openai.NotFoundError as error:
            raise ConfigError(f"{self._url}: {error}; remedy: check --endpoint and --judge") from error
        except openai.OpenAIError as error:
            raise PixelrsError(f"{self._url}: {error}") from error
        if not reply.choices:
            raise PixelrsError(f"{self._url}: the reply holds no answer")
        return reply.choices[0].message.content or ""
