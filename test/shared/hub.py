"""A server that speaks the paths of the Hugging Face hub for folders on this disk, and that can be made to fail."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from huggingface_hub import constants

from pixelrs_ros import shipped

COMMIT = "1" * 40
STORE = "/store/"


@dataclass
class Hub:
    """What is served, what was asked, and what goes wrong.

    Attributes:
        repos: Folders by owner and name.
        asked: Of each request the path and its Range.
        tokens: Hosts that were sent a token.
        refused: Statuses by repository, answered as for a gated one.
        cut: Names of files of which only the first half comes, and after it nothing but errors.
    """

    repos: dict[str, Path]
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)

    def ranges(self, name: str) -> list[str]:
        """The Range of every GET of a file."""
        return [given for path, given in self.asked if path.endswith(f"/{name}")]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if self.headers.get("Authorization"):
            self.hub.tokens.add(self.headers["Host"].split(":")[0])
        self.hub.asked.append((path, self.headers.get("Range", "")))
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/\w+)?", path):
            self._info(match[1])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/\w+/(.+)", path):
            self._file(match[1], match[2])
        elif path.startswith(STORE):
            repo, name = path.removeprefix(STORE).rsplit("/", 1)
            self._content(name, (self.hub.repos[repo] / name).read_bytes())
        else:
            self._refuse(404, "")

    def _info(self, repo: str) -> None:
        if repo not in self.hub.repos:
            self._refuse(404, "RepoNotFound")
            return
        folder = self.hub.repos[repo]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._json({"id": repo, "sha": COMMIT, "siblings": [_sibling(path, folder) for path in files]})

    def _file(self, repo: str, name: str) -> None:
        path = self.hub.repos[repo] / name
        if status := self.hub.refused.get(repo):
            self._refuse(status, "GatedRepo")
        elif not path.is_file():
            self._refuse(404, "EntryNotFound")
        elif path.suffix == ".safetensors":  # what is large comes from elsewhere
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}{STORE}{repo}/{name}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._content(name, path.read_bytes())

    def _content(self, name: str, content: bytes) -> None:
        given = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(given[1]) if given else 0
        if name in self.hub.cut and begin:
            self._refuse(500, "")
            return
        self.send_response(206 if given else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - begin))
        if given:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if name in self.hub.cut:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        else:
            self.wfile.write(content[begin:])

    def _json(self, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def _sibling(path: Path, folder: Path) -> dict[str, Any]:
    """Of a file: with ?blobs=true the hub tells sizes, and the SHA-256 of what is large."""
    content = path.read_bytes()
    told: dict[str, Any] = {
        "rfilename": path.relative_to(folder).as_posix(),
        "size": len(content),
        "blobId": hashlib.sha1(content).hexdigest(),
    }
    if path.suffix == ".safetensors":
        told["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 135}
    return told


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, repos: dict[str, Path]) -> Iterator[Hub]:
    """Serve folders, and have huggingface_hub ask here as HF_ENDPOINT would."""
    hub = Hub(repos)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    point_at(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_table(path: Path, name: str, kind: str, parts: dict[str, dict[str, Any]]) -> None:
    """A table of one name; what a part does not say is filled in."""
    filled = {role: {"revision": COMMIT, "license": "MIT", "gb": 0.001, **part} for role, part in parts.items()}
    weights = {
        "kind": kind, "parts": {role: role for role in parts}, "license": "Free as air.", "about": "nothing at all",
        "memory": {"parameters": 1_000_000, "linear": 500_000, "cache_bytes_per_token": 1000, "context_tokens": 1000},
    }  # fmt: skip
    path.write_text(yaml.safe_dump({"parts": filled, "weights": {name: weights}}))


def own_world(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """A user's own: where fetched weights go, the library's cache, and the table that names what can be fetched."""
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)  # less than that is not kept when it is interrupted
    monkeypatch.setattr(shipped, "PUBLISHED", home / "published.yaml")


def point_at(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """What HF_ENDPOINT does; the library reads it when it is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")
