"""JSON files of data sets: whole, or one entry of a list after another, in UTF-8 or in Windows' western code page."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pixelrs_ros.errors import DataError

UTF8, WESTERN = "utf-8-sig", "cp1252"  # utf-8-sig: as some Windows programs write it, with a mark in front
_CHUNK_BYTES = 1 << 20
_SNIFFED_EVENTS = 4000


def visible(folder: Path, pattern: str) -> list[Path]:
    """A folder's files that fit a pattern, in the alphabet's order; not hidden ones, such as macOS's `._a.json`."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def encoding_of(path: Path) -> str:
    """How a file's text is written: `UTF8`, or `WESTERN` where its bytes are not UTF-8; reads it in pieces.

    Raises:
        DataError: It cannot be read, or its bytes are text in neither.
    """
    for encoding in (UTF8, WESTERN):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):  # every byte of which cp1252 may know
                    raise DataError(f"{path}: is UTF-16; remedy: save it as UTF-8")
                file.seek(0)
                while chunk := file.read(_CHUNK_BYTES):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            return encoding
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            reason = error
    raise DataError(f"{path}: is not JSON: neither UTF-8 nor cp1252: {reason}; remedy: save it as UTF-8")


def load_json(path: Path) -> Any:
    """A JSON file's content.

    Raises:
        DataError: It cannot be read, or is not JSON.
    """
    encoding = encoding_of(path)
    try:
        return json.loads(path.read_text(encoding=encoding))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not JSON: {error}") from error


def stream_list(path: Path) -> Iterator[Any]:
    """The entries of a JSON file that holds a list, one after another; memory does not grow with the list.

    Raises:
        DataError: It cannot be read, is not JSON, or holds something else; entries before a fault come first.
    """
    import ijson

    encoding = encoding_of(path)
    with path.open("rb") as file:
        try:
            events = ijson.parse(_Recoded(file, encoding), use_float=True)
            first = next(events)[1]
            if first != "start_array":
                raise DataError(f"{path}: expected a list, got {first.removeprefix('start_').replace('map', 'object')}")
            yield from ijson.items(_chain(("", "start_array", None), events), "item")
        except (ijson.JSONError, StopIteration) as error:
            raise DataError(f"{path}: is not JSON: {str(error).partition(chr(10))[0] or 'it is empty'}") from error


def first_keys(path: Path) -> tuple[bool, frozenset[str]]:
    """Whether a JSON file holds a list, and the first keys of the object that it holds or its list begins with.

    Only the file's beginning is read. Nothing is told of a file that is not JSON: no keys.
    """
    import ijson

    is_list = False
    keys: set[str] = set()
    try:
        with path.open("rb") as file:  # any byte is a character of latin-1, and keys are ASCII
            for count, (prefix, event, value) in enumerate(ijson.parse(_Recoded(file, "latin-1"))):
                if count == 0:
                    is_list = event == "start_array"
                if event == "map_key" and prefix == ("item" if is_list else ""):
                    keys.add(value)
                if count > _SNIFFED_EVENTS or (is_list and (prefix, event) == ("item", "end_map")):
                    break
    except OSError:
        return False, frozenset()
    except ijson.JSONError:  # an object has the keys that came before, such as one whose numbers are NaN
        return False, frozenset() if is_list else frozenset(keys)
    return is_list, frozenset(keys)


def _chain(first: Any, events: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from events


class _Recoded:
    """A file's text as UTF-8 bytes, in pieces; without its byte order mark."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        self._reader = codecs.getreader(encoding)(file)

    def read(self, size: int = -1) -> bytes:
        return self._reader.read(size).encode()
