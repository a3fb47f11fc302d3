"""The client against a real server of this machine: what is asked, kept, mended, tried again and given up."""

from __future__ import annotations

import asyncio
import base64
import io
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from chat_server import Reply, completion, failure, serving
from PIL import ExifTags, Image
from pydantic import BaseModel

from pixelrs_ros.endpoint.endpoint import KEY_VARIABLE, Endpoint, Usage, read_answer
from pixelrs_ros.endpoint.journal import Journal
from pixelrs_ros.errors import AnswerError, ConfigError, EndpointError


class Wanted(BaseModel):
    name: str


STATUS, CONTENT = completion('{"name": "mug"}')
GOOD = (STATUS, {**CONTENT, "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}})


def scripted(*replies: Reply) -> tuple[Callable[[dict[str, Any]], Reply], list[dict[str, Any]]]:
    """Gives the replies in turn, the last for ever, and notes what was asked."""
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> Reply:
        asked.append(request)
        return replies[min(len(asked), len(replies)) - 1]

    return answer, asked


def ask(url: str, journal: Path, prompts: tuple[str, ...] = ("What?",), **options: Any) -> tuple[list[Any], Usage]:
    async def all_of_them() -> tuple[list[Any], Usage]:
        with Journal(journal) as kept:
            async with Endpoint(url, "it", kept, **options) as endpoint:
                asked = (endpoint.ask(prompt, Wanted) for prompt in prompts)
                return await asyncio.gather(*asked, return_exceptions=True), endpoint.usage

    return asyncio.run(all_of_them())


def test_the_schema_and_the_seed_are_sent_and_the_answer_is_kept(tmp_path: Path) -> None:
    answer, asked = scripted(GOOD)
    with serving(answer) as url:
        found, usage = ask(url, tmp_path / "answers.jsonl")
        again, later = ask(url, tmp_path / "answers.jsonl")
    assert found == again == [Wanted(name="mug")]
    assert (usage.asked, usage.known, later.asked, later.known) == (1, 0, 0, 1)
    assert (usage.prompt_tokens, usage.answer_tokens, later.prompt_tokens) == (7, 5, 0)
    (request,) = asked
    assert request["seed"] == 0
    assert request["response_format"]["json_schema"]["schema"] == Wanted.model_json_schema()


def test_a_server_without_schemas_gets_it_in_the_prompt(tmp_path: Path) -> None:
    answer, asked = scripted(failure(HTTPStatus.BAD_REQUEST), completion('Sure!\n```json\n{"name": "mug",}\n```'))
    with serving(answer) as url:
        found, _ = ask(url, tmp_path / "answers.jsonl", ("one", "two"), at_once=1)
    assert found == [Wanted(name="mug")] * 2
    assert ["response_format" in request for request in asked] == [True, False, False]
    assert '"name"' in asked[1]["messages"][0]["content"]


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR])
def test_failures_that_pass_are_tried_again(tmp_path: Path, status: HTTPStatus) -> None:
    answer, asked = scripted(failure(status), GOOD)
    with serving(answer) as url:
        found, usage = ask(url, tmp_path / "answers.jsonl")
    assert found == [Wanted(name="mug")]
    assert (len(asked), usage.retried) == (2, 1)


def test_what_was_sent_again_is_counted_also_where_no_answer_came(tmp_path: Path) -> None:
    answer, asked = scripted(failure(HTTPStatus.INTERNAL_SERVER_ERROR))
    with serving(answer) as url:
        found, usage = ask(url, tmp_path / "answers.jsonl", retries=1)
    assert isinstance(found[0], EndpointError)
    assert (len(asked), usage.retried, usage.failed) == (2, 1, 1)


def test_a_failure_that_stays_is_counted_and_asked_again_by_the_next_run(tmp_path: Path) -> None:
    answer, _ = scripted(failure(HTTPStatus.INTERNAL_SERVER_ERROR))
    with serving(answer) as url:
        found, usage = ask(url, tmp_path / "answers.jsonl", retries=0)
    assert isinstance(found[0], EndpointError)
    assert (usage.failed, usage.asked) == (1, 0)
    with serving(scripted(GOOD)[0]) as url:
        assert ask(url, tmp_path / "answers.jsonl")[0] == [Wanted(name="mug")]


def test_nonsense_is_asked_again_with_another_seed_and_then_an_error(tmp_path: Path) -> None:
    answer, asked = scripted(completion("I like turtles."))
    with serving(answer) as url:
        found, usage = ask(url, tmp_path / "answers.jsonl")
    assert isinstance(found[0], AnswerError)
    assert "turtles" in str(found[0])
    assert [request["seed"] for request in asked] == [0, 1]
    assert (usage.asked, usage.nonsense, usage.failed) == (2, 2, 1)


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND])
def test_what_no_question_will_get_past_is_told_with_its_remedy(tmp_path: Path, status: HTTPStatus) -> None:
    with serving(scripted(failure(status))[0]) as url:
        (error,), _ = ask(url, tmp_path / "answers.jsonl")
    assert isinstance(error, ConfigError)
    assert (KEY_VARIABLE if status == HTTPStatus.UNAUTHORIZED else "name") in str(error)


def test_no_server_is_told(tmp_path: Path) -> None:
    with serving(scripted(GOOD)[0]) as url:
        pass
    (error,), _ = ask(url, tmp_path / "answers.jsonl", retries=0)
    assert isinstance(error, ConfigError)


def test_so_many_are_under_way_as_were_allowed(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=30)
    lock, now, most = threading.Lock(), 0, 0

    def answer(request: dict[str, Any]) -> Reply:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        both.wait()
        with lock:
            now -= 1
        return GOOD

    with serving(answer) as url:
        found, _ = ask(url, tmp_path / "answers.jsonl", tuple("abcdef"), at_once=2)
    assert found == [Wanted(name="mug")] * 6
    assert most == 2


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path) as journal:
        journal.keep("a", "one")
    with path.open("a") as file:
        file.write('{"key": "b", "ra')
    with Journal(path) as journal:
        assert (journal.get("a"), journal.get("b")) == ("one", None)
        journal.keep("c", "three")
    with Journal(path) as journal:
        assert journal.get("c") == "three"


@pytest.mark.parametrize("raw", ["", "null", "[]", '{"name": 3}', "[" * 5000])
def test_other_json_is_no_answer(raw: str) -> None:
    with pytest.raises(AnswerError):
        read_answer(raw, Wanted)


def spoilt(**message: Any) -> Reply:
    """A reply whose message is not of OpenAI's form."""
    return STATUS, {**CONTENT, "choices": [{"index": 0, "message": {"role": "assistant", **message}}]}


@pytest.mark.parametrize(
    "reply",
    [
        spoilt(content=[{"type": "text", "text": "mug"}]), spoilt(content="a \ud800 mug"), spoilt(content=7),
        (STATUS, {**CONTENT, "choices": [{"index": 0, "message": "mug"}]}), (STATUS, {**CONTENT, "choices": ["mug"]}),
        (STATUS, {**CONTENT, "choices": {"0": "mug"}}),
    ],
)  # fmt: skip
def test_a_reply_of_another_form_costs_only_its_question(tmp_path: Path, reply: Reply) -> None:
    answer, _ = scripted(reply)
    with serving(answer) as url:
        found, usage = ask(url, tmp_path / "answers.jsonl")
    assert isinstance(found[0], EndpointError) and "is not of OpenAI's form" in str(found[0])
    assert (usage.failed, usage.asked) == (1, 0)


@pytest.mark.parametrize("counted", [None, {}, {"prompt_tokens": None}, "many"])
def test_a_reply_that_counts_no_tokens_is_an_answer(tmp_path: Path, counted: Any) -> None:
    answer, _ = scripted((STATUS, {**CONTENT, "usage": counted}))
    with serving(answer) as url:
        found, usage = ask(url, tmp_path / "answers.jsonl")
    assert found == [Wanted(name="mug")] and (usage.prompt_tokens, usage.answer_tokens) == (0, 0)


def test_a_question_that_is_refused_itself_does_not_end_the_schema(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> Reply:
        asked.append(request)
        return failure(HTTPStatus.BAD_REQUEST) if "long" in request["messages"][0]["content"] else GOOD

    with serving(answer) as url:
        found, _ = ask(url, tmp_path / "answers.jsonl", ("Too long.", "What?"), at_once=1)
    assert isinstance(found[0], EndpointError) and found[1] == Wanted(name="mug")
    assert "response_format" in asked[-1]


@pytest.mark.parametrize("name", ["seen.jpg", "seen.png"])
def test_a_picture_that_exif_turns_is_shown_upright(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / name, exif=exif)
    answer, asked = scripted(GOOD)

    async def look(url: str) -> Wanted:
        with Journal(tmp_path / "answers.jsonl") as kept:
            async with Endpoint(url, "it", kept) as endpoint:
                return await endpoint.ask("What?", Wanted, picture=tmp_path / name)

    with serving(answer) as url:
        assert asyncio.run(look(url)) == Wanted(name="mug")
    shown = asked[0]["messages"][0]["content"][1]["image_url"]["url"].partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(shown))) as picture:
        assert picture.size == (40, 60) and picture.getexif().get(ExifTags.Base.Orientation, 1) == 1
