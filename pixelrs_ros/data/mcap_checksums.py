"""Checksums of MCAP files: without them a damaged disk makes other pictures of a recording, and nobody notices."""

from __future__ import annotations

import struct
from binascii import crc32
from pathlib import Path
from typing import BinaryIO

from backports import zstd

_MAGIC_BYTES = 8
_RECORD = struct.Struct("<BQ")  # what it is, and how many bytes follow
_CHUNK = 0x06
_CHUNK_TIMES_AND_SIZE = struct.Struct("<QQQ")
_CHECKSUM, _LENGTH = struct.Struct("<I"), struct.Struct("<Q")


def add_checksums(path: Path) -> None:
    """Write into a whole file, whose chunks are compressed by Zstandard, the checksum of what each of them holds.

    Raises:
        OSError: It cannot be read or written.
    """
    with path.open("r+b") as file:
        file.seek(_MAGIC_BYTES)
        while len(head := file.read(_RECORD.size)) == _RECORD.size:  # at the end only the magic is left
            kind, length = _RECORD.unpack(head)
            start = file.tell()
            if kind == _CHUNK:
                _add_to_chunk(file, start + _CHUNK_TIMES_AND_SIZE.size)
            file.seek(start + length)


def _add_to_chunk(file: BinaryIO, place: int) -> None:
    file.seek(place + _CHECKSUM.size)
    (name_bytes,) = _CHECKSUM.unpack(file.read(_CHECKSUM.size))  # lengths of texts are as long as a checksum
    file.seek(name_bytes, 1)
    (content_bytes,) = _LENGTH.unpack(file.read(_LENGTH.size))
    checksum = crc32(zstd.decompress(file.read(content_bytes)))
    file.seek(place)
    file.write(_CHECKSUM.pack(checksum))
