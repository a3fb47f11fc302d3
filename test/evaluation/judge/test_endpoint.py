"""What an endpoint may do: answer, fail for a while, fail for one question, or fail for good."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import Any

import pytest
from chat_server import Reply, completion, failure, serving

from pixelrs_ros.errors import ConfigError, PixelrsError
from pixelrs_ros.evaluation.judge.endpoint import EndpointJudge
from pixelrs_ros.evaluation.judge.verdicts import CRITERIA, Choice, Scores


def judge_at(url: str, timeout_s: float = 30.0) -> EndpointJudge:
    return EndpointJudge(url, "it", temperature=0.25, max_tokens=99, timeout_s=timeout_s)


def test_the_endpoint_is_told_all_that_counts() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> Reply:
        asked.append(request)
        return completion("Yes.")

    with serving(answer) as url:
        judge = judge_at(url)
        assert judge.ask("Well?", Scores, 7) == "Yes."
    (request,) = asked
    assert request["messages"] == [{"role": "user", "content": "Well?"}]
    assert {name: request[name] for name in ("model", "seed")} == {"model": "it", "seed": 7}
    assert judge.identity == {name: request[name] for name in ("model", "temperature", "max_tokens")}
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["required"] == list(CRITERIA) and schema["additionalProperties"] is False


def test_an_endpoint_that_fails_for_a_while_is_asked_again() -> None:
    replies = iter([failure(HTTPStatus.SERVICE_UNAVAILABLE), failure(HTTPStatus.TOO_MANY_REQUESTS), completion("Yes.")])
    with serving(lambda _: next(replies)) as url:
        assert judge_at(url).ask("Well?", Choice, 0) == "Yes."


@pytest.mark.parametrize("reply", [failure(HTTPStatus.BAD_REQUEST), (HTTPStatus.OK, {"choices": []})])
def test_a_question_that_gets_no_answer_is_an_error_of_its_own(reply: Reply) -> None:
    with serving(lambda _: reply) as url, pytest.raises(PixelrsError, match=url) as caught:
        judge_at(url).ask("Well?", Choice, 0)
    assert not isinstance(caught.value, ConfigError)


def test_a_server_that_refuses_a_schema_is_asked_without() -> None:
    asked: list[bool] = []

    def answer(request: dict[str, Any]) -> Reply:
        asked.append("response_format" in request)
        return failure(HTTPStatus.BAD_REQUEST) if asked[-1] else completion("Yes.")

    with serving(answer) as url:
        judge = judge_at(url)
        assert [judge.ask("Well?", Choice, seed) for seed in range(2)] == ["Yes."] * 2
    assert asked == [True, False, False]


def test_an_empty_answer_is_an_answer() -> None:
    status, content = completion("")
    content["choices"][0]["message"]["content"] = None
    with serving(lambda _: (status, content)) as url:
        assert judge_at(url).ask("Well?", Choice, 0) == ""


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND])
def test_an_endpoint_that_will_never_answer_ends_it_all(status: HTTPStatus) -> None:
    with serving(lambda _: failure(status)) as url, pytest.raises(ConfigError, match="remedy: check --endpoint"):
        judge_at(url).ask("Well?", Choice, 0)


def test_no_answer_in_time_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelrs_ros.evaluation.judge.endpoint.RETRIES", 0)
    closing = threading.Event()

    def answer(_: dict[str, Any]) -> Reply:
        closing.wait()
        return completion("Too late.")

    with serving(answer) as url:
        with pytest.raises(PixelrsError, match="no answer in time"):
            judge_at(url, timeout_s=0.2).ask("Well?", Choice, 0)
        closing.set()


def test_nobody_there_ends_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelrs_ros.evaluation.judge.endpoint.RETRIES", 0)
    with serving(lambda _: completion("")) as url:
        pass
    with pytest.raises(ConfigError, match="remedy: check --endpoint"):
        judge_at(url).ask("Well?", Choice, 0)


def test_the_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "top-secret")
    with serving(lambda _: failure(HTTPStatus.UNAUTHORIZED)) as url, pytest.raises(ConfigError) as caught:
        judge = judge_at(url)
        judge.ask("Well?", Choice, 0)
    assert "top-secret" not in f"{caught.value} {judge.identity}"
