"""Writes a recording as rosbag2 does: a folder with MCAP of the ROS 2 profile and metadata.yaml. Needs no ROS."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer, WriterError

from pixelrs_ros.data.bag_types import definition_of
from pixelrs_ros.data.bags import METADATA
from pixelrs_ros.data.mcap_checksums import add_checksums
from pixelrs_ros.errors import OutputError

ResultT = TypeVar("ResultT")


class BagWriter:
    """A recording that is being written, as a context; one without any message is not kept.

    Chunks of it are compressed, and get their checksums on leaving. If the process is killed, the file lacks its end,
    and `mcap recover` saves the rest.

    Args:
        path: The new folder.
        noted: What is written beside the messages; see `Bag.noted`.

    Attributes:
        counts: How many messages of each topic were written.

    Raises:
        OutputError: On entering, writing and leaving: something is there already, or it cannot be written.
    """

    def __init__(self, path: Path, noted: Mapping[str, str]) -> None:
        self.path = path
        self.counts: dict[str, int] = {}
        self._connections: dict[str, Connection] = {}
        self._writer = self._guarded(
            lambda: Writer(path, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP)
        )
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        for key, value in noted.items():
            self._writer.set_custom_data(key, value)

    def __enter__(self) -> BagWriter:
        self._guarded(self._writer.open)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer.storage is None:  # a write has failed
            return
        self._guarded(self._writer.close)
        if not self.counts:
            shutil.rmtree(self.path)
            return
        try:
            add_checksums(self.path / f"{self.path.name}.mcap")  # rosbags writes none
        except OSError as error:
            raise OutputError(error.errno or errno.EIO, error.strerror or str(error), str(self.path)) from error

    def write(
        self, topic: str, kind: str, time_ns: int, data: bytes, offered: Callable[[], Sequence[Qos]] = tuple
    ) -> None:
        """Write a message.

        Args:
            topic: Its full name.
            kind: Its type, "sensor_msgs/msg/Image".
            time_ns: When it came, since the epoch.
            data: The message in CDR.
            offered: Asked for the publishers' quality of service when the topic's first message is written.

        Raises:
            DataError: The type is not installed.
            OutputError: It cannot be written.
        """
        connection = self._connections.get(topic)
        if connection is None:
            definition = definition_of(kind)
            connection = self._guarded(
                lambda: self._writer.add_connection(
                    topic, kind, msgdef=definition.text, rihs01=definition.digest, offered_qos_profiles=offered()
                )
            )
            self._connections[topic] = connection
        self._guarded(lambda: self._writer.write(connection, time_ns, data))
        self.counts[topic] = self.counts.get(topic, 0) + 1

    def _guarded(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            return work()
        except WriterError as error:  # there is something of this name
            raise OutputError(errno.EEXIST, "there is something of this name already", str(self.path)) from error
        except OSError as error:
            self._writer.abort()
            raise OutputError(error.errno or errno.EIO, error.strerror or str(error), str(self.path)) from error


def forget_recording(path: Path) -> None:
    """Delete what `BagWriter` has written there, and nothing else.

    Raises:
        OutputError: It cannot be deleted, or there are other files too.
    """
    if not path.exists():
        return
    try:
        for name in (f"{path.name}.mcap", METADATA):
            (path / name).unlink(missing_ok=True)
        path.rmdir()
    except OSError as error:
        raise OutputError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
