"""Raw answers on disk, a line of JSON each, so that a run can be taken up again without asking anything twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from pixelrs_ros.errors import DataError
from pixelrs_ros.files import make_folder


def key_of(**asked: Any) -> str:
    """The same for the same JSON values."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class Journal:
    """Answers by key; each new one is on disk before `keep` returns. A context manager, of one process at a time."""

    def __init__(self, path: Path) -> None:
        """Read what is there; a line that was cut off while being written counts for nothing.

        Args:
            path: Of the file; it and its folder are made if missing.

        Raises:
            DataError: It cannot be read or written.
            OutputError: Its folder cannot be made.
        """
        make_folder(path.parent)
        try:
            self._answers = read_journal(path)
            self._file: IO[str] = path.open("a", encoding="utf-8")
            self._write("")  # ends a line that was cut off
        except OSError as error:
            raise DataError(f"{path}: cannot be read and written: {error.strerror or error}") from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def get(self, key: str) -> str | None:
        """The raw answer; None where there is none."""
        return self._answers.get(key)

    def keep(self, key: str, raw: str, **about: Any) -> None:
        """Add an answer, with JSON values about it for those who read the file."""
        self._answers[key] = raw
        self._write(json.dumps({"key": key, **about, "raw": raw}, ensure_ascii=False))

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()


def read_journal(path: Path) -> dict[str, str]:
    """The raw answers in a file, by key; none where there is no file; a line that was cut off counts for nothing.

    Raises:
        OSError: It cannot be read.
    """
    found: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                kept = json.loads(line)
                found[str(kept["key"])] = str(kept["raw"])
            except (ValueError, KeyError, TypeError):
                continue
    return found
