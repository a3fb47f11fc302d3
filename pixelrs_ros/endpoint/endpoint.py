"""Questions to a language model whose answers are JSON of a pydantic model.

    with Journal(path) as journal:
        async with Endpoint("http://localhost:8000/v1", "a-model", journal) as endpoint:
            found = await asyncio.gather(*(endpoint.ask(prompt, Wanted, seed=0) for prompt in prompts))
        print(endpoint.usage)

`ask` may be called as often and at once as one likes: so many questions are under way as `at_once` says, a broken
connection, a timeout, 429 and 5xx are tried again with growing pauses, and every raw answer is kept in the journal,
from which the same question to the same model is answered the next time.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import mimetypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import json_repair
import openai
from PIL import ExifTags, Image, ImageOps
from pydantic import BaseModel, ValidationError

from pixelrs_ros.endpoint.journal import Journal, key_of
from pixelrs_ros.errors import AnswerError, ConfigError, EndpointError

T = TypeVar("T", bound=BaseModel)

KEY_VARIABLE = "OPENAI_API_KEY"  # as the client itself calls it; local servers want none
REFUSED = (400, 422)  # what servers say that know no `response_format`
_BY_PROMPT = "\n\nAnswer with one JSON value of this schema and nothing else:\n"


@dataclass
class Usage:
    """What a run has cost.

    Attributes:
        asked: Answers that the endpoint gave.
        known: Answers that were in the journal.
        retried: Requests that had to be sent again.
        nonsense: Answers that were not what was wanted.
        failed: Questions left without an answer that counts.
        prompt_tokens: As the endpoint counts them; 0 where it does not.
        answer_tokens: Likewise.
    """

    asked: int = 0
    known: int = 0
    retried: int = 0
    nonsense: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0


class Endpoint:
    """A model behind HTTP; an asynchronous context manager.

    Attributes:
        usage: What it has cost so far.
    """

    def __init__(
        self,
        url: str,
        model: str,
        journal: Journal,
        *,
        temperature: float = 0.0,
        max_tokens: int = 1024,
        timeout_s: float = 120.0,
        at_once: int = 4,
        retries: int = 4,
        attempts: int = 2,
    ) -> None:
        """Asks nothing yet.

        Args:
            url: Such as http://localhost:8000/v1; the key is in the environment variable `KEY_VARIABLE`.
            model: As the endpoint calls it.
            journal: Of raw answers.
            temperature: 0 gives the likeliest words.
            max_tokens: An answer is cut off there.
            timeout_s: For one answer; then it is tried again.
            at_once: How many questions may be under way.
            retries: How often one request is sent again after a failure that may pass.
            attempts: How often one question is asked, with the next seed each time, until the answer is what is wanted.
        """
        self.usage = Usage()
        self._model, self._journal = model, journal
        self._url, self._attempts = url, attempts
        self._sampling: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens}
        self._places = asyncio.Semaphore(at_once)
        self._holds = True  # whether the server takes a schema; some refuse
        self._client = openai.AsyncOpenAI(
            **client_options(url, timeout_s, retries),
            http_client=openai.DefaultAsyncHttpxClient(event_hooks={"request": [self._count]}),
        )

    async def __aenter__(self) -> Endpoint:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ask(self, prompt: str, wanted: type[T], *, seed: int = 0, picture: Path | None = None) -> T:
        """One answer.

        The server is given the schema of what is wanted. A server that refuses it, or a model that answers something
        else, gets it in the prompt; the answer is mended where its JSON is broken, and checked in any case.

        Args:
            prompt: All that the model reads.
            wanted: A pydantic model.
            seed: Of the first attempt.
            picture: A file that the model sees beside the prompt, if it can see.

        Raises:
            AnswerError: It never was what is wanted; the cause is pydantic's error about the last.
            EndpointError: There was no answer.
            ConfigError: There is no such endpoint or model, or it wants another key: no question will be answered.
            OSError: The picture cannot be read.
        """
        try:
            for attempt in range(self._attempts):
                raw = await self._raw(prompt, wanted, seed + attempt, picture, tell_schema=attempt > 0)
                try:
                    return read_answer(raw, wanted)
                except AnswerError as error:
                    self.usage.nonsense += 1
                    nonsense = error
        except EndpointError:
            self.usage.failed += 1
            raise
        self.usage.failed += 1
        raise nonsense

    async def _raw(
        self, prompt: str, wanted: type[BaseModel], seed: int, picture: Path | None, *, tell_schema: bool
    ) -> str:
        """The model's words, from the journal or from the server."""
        schema = wanted.model_json_schema()
        seen = await asyncio.to_thread(_upright, picture) if picture else b""
        key = key_of(
            model=self._model, prompt=prompt, schema=schema, seed=seed, told=tell_schema,
            picture=hashlib.sha256(seen).hexdigest(), **self._sampling,
        )  # fmt: skip
        if (kept := self._journal.get(key)) is not None:
            self.usage.known += 1
            return kept
        async with self._places:
            told = prompt + _BY_PROMPT + json.dumps(schema, ensure_ascii=False)
            with explained(self._url):
                reply = await self._held(wanted, _message(told if tell_schema else prompt, picture, seen), seed)
                if reply is None:
                    reply = await self._send(_message(told, picture, seen), seed, {})
                    self._holds = False  # it was the schema: without, there is an answer
        return self._keep(key, seed, reply)

    async def _held(self, wanted: type[BaseModel], message: Any, seed: int) -> Any:
        """The reply of a server that takes a schema; None from one that refuses what was sent."""
        if not self._holds:
            return None
        try:
            return await self._send(message, seed, {"response_format": held_to(wanted)})
        except openai.APIStatusError as error:
            if error.status_code not in REFUSED:
                raise
            return None

    async def _send(self, message: Any, seed: int, form: dict[str, Any]) -> Any:
        return await self._client.chat.completions.create(
            model=self._model, messages=[message], seed=seed, **self._sampling, **form
        )

    async def _count(self, request: Any) -> None:
        """Of every request that leaves; the client numbers those of a question, also where none is answered."""
        self.usage.retried += int(request.headers.get("x-stainless-retry-count", "0")) > 0

    def _keep(self, key: str, seed: int, reply: Any) -> str:
        raw = words_of(reply, self._url)
        tokens = tokens_of(reply)
        self.usage.asked += 1
        self.usage.prompt_tokens += tokens[0]
        self.usage.answer_tokens += tokens[1]
        self._journal.keep(key, raw, model=self._model, seed=seed, tokens=tokens)
        return raw


def client_options(url: str, timeout_s: float, retries: int) -> dict[str, Any]:
    """What the clients of `openai` are made with; the key is in the environment variable `KEY_VARIABLE`."""
    key = os.environ.get(KEY_VARIABLE) or "none"
    return {"base_url": url, "api_key": key, "timeout": timeout_s, "max_retries": retries}


def held_to(wanted: type[BaseModel]) -> Any:
    """The `response_format` that asks a server to hold its model to the JSON that is wanted."""
    schema = {"name": wanted.__name__, "schema": wanted.model_json_schema(), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


@contextmanager
def explained(url: str) -> Iterator[None]:
    """What goes wrong with a request, as errors of ours.

    Raises:
        ConfigError: There is no such endpoint or model, or it wants another key: no question will be answered.
        EndpointError: This question got no answer.
    """
    try:
        yield
    except openai.APITimeoutError as error:
        raise EndpointError(f"{url}: no answer in time") from error
    except openai.APIConnectionError as error:
        raise ConfigError(f"{url}: {error}; remedy: check --endpoint, and whether the server runs") from error
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise ConfigError(f"{url}: {error}; remedy: check --endpoint and {KEY_VARIABLE}") from error
    except openai.NotFoundError as error:
        raise ConfigError(f"{url}: {error}; remedy: check --endpoint and the model's name") from error
    except (openai.APIResponseValidationError, ValueError) as error:
        raise EndpointError(f"{url}: the reply is not of OpenAI's form: {error}") from error
    except openai.OpenAIError as error:
        raise EndpointError(f"{url}: {error}") from error


def words_of(reply: Any, url: str) -> str:
    """What the model said.

    Raises:
        EndpointError: Nothing, not even no words, or what is no text.
    """
    choices = getattr(reply, "choices", None)
    if not choices:
        raise EndpointError(f"{url}: the reply holds no answer")
    try:
        words = choices[0].message.content or ""
        words.encode()
    except (AttributeError, TypeError, LookupError, UnicodeEncodeError) as error:  # the client checks no replies
        raise EndpointError(f"{url}: the reply is not of OpenAI's form: {error}") from error
    return str(words)


def tokens_of(reply: Any) -> tuple[int, int]:
    """What question and answer cost, as the endpoint counts; 0 where it does not."""
    usage = getattr(reply, "usage", None)
    asked, answered = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
    return (asked if isinstance(asked, int) else 0, answered if isinstance(answered, int) else 0)


def read_answer(raw: str, wanted: type[T]) -> T:
    """What a model's words say; JSON that is fenced, wrapped in prose or broken is mended first.

    Raises:
        AnswerError: It is not what is wanted; the message holds the words, the cause is pydantic's error.
    """
    try:
        return wanted.model_validate(json_repair.loads(raw))
    except (ValidationError, RecursionError) as error:
        raise AnswerError(f"expected {wanted.__name__}, got {raw[:200]!r}") from error


def _upright(path: Path) -> bytes:
    """A picture's file; where EXIF turns it, a file of the same kind with the pixels turned, since models heed no EXIF.

    Raises:
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    with Image.open(io.BytesIO(data)) as picture:
        if picture.getexif().get(ExifTags.Base.Orientation, 1) == 1:
            return data
        turned = io.BytesIO()
        ImageOps.exif_transpose(picture).save(turned, picture.format, quality=95)
        return turned.getvalue()


def _message(text: str, picture: Path | None, seen: bytes) -> dict[str, Any]:
    if picture is None:
        return {"role": "user", "content": text}
    kind = mimetypes.guess_type(picture.name)[0] or "image/jpeg"
    shown = {"url": f"data:{kind};base64,{base64.b64encode(seen).decode()}"}
    return {"role": "user", "content": [{"type": "text", "text": text}, {"type": "image_url", "image_url": shown}]}
