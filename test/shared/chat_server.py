"""An OpenAI-compatible endpoint of this machine, over real HTTP; what it answers is given."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[HTTPStatus, dict[str, Any]]


def completion(words: str, reason: str = "stop") -> Reply:
    """A model's answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": reason}
    content = {"id": "1", "object": "chat.completion", "created": 0, "model": "it", "choices": [choice]}
    return HTTPStatus.OK, content


def failure(status: HTTPStatus) -> Reply:
    """An error."""
    return status, {"error": {"message": f"a made-up {status.phrase}"}}


@contextmanager
def serving(answer: Callable[[dict[str, Any]], Reply]) -> Iterator[str]:
    """The endpoint's URL, as long as it is open.

    Args:
        answer: Called with each request, from a thread of its own.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, content = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
