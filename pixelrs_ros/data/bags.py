"""Recordings of ROS 2: rosbag2's folders, with MCAP or SQLite, and single files. Read without ROS."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.rosbag2.reader import DirectoryReader

from pixelrs_ros.data.bag_types import known_types
from pixelrs_ros.errors import DataError

INSTRUCTION, SEGMENTATION = "pixelrs_ros/msg/Instruction", "pixelrs_ros/msg/Segmentation"
IMAGE, COMPRESSED_IMAGE = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
METADATA = "metadata.yaml"
# Keys of what `pixelrs record` notes: the topics that the camera's are remapped to.
CAMERA_TOPICS = ("image", "depth", "camera_info")
_MCAP_MAGIC = b"\x89MCAP0\r\n"
_MCAP_REMEDY = "remedy: `mcap recover` (Foxglove's tool) saves what is there"


class Logged(NamedTuple):
    """One recorded message.

    Attributes:
        topic: Where it was published.
        kind: Its type, "sensor_msgs/msg/Image".
        time_ns: When it was recorded.
        data: The message in CDR.
    """

    topic: str
    kind: str
    time_ns: int
    data: bytes

    @property
    def stamp_ns(self) -> int:
        """The stamp of a message that begins with a header; nothing else of it is decoded."""
        order = "<" if self.data[1] & 1 else ">"
        seconds, nanoseconds = struct.unpack_from(f"{order}iI", self.data, 4)
        return int(seconds) * 10**9 + int(nanoseconds)


@dataclass(frozen=True)
class RobotTopics:
    """The topics of one robot in a recording.

    Attributes:
        namespace: Of its perception node, with a slash at its end: "/" or "/robot1/".
        camera: The topics that were recorded of its camera, by their names in `CAMERA_TOPICS`.
    """

    namespace: str
    camera: dict[str, str]

    def own(self, name: str) -> str:
        """The full name of one of the node's topics."""
        return f"{self.namespace}{name}"

    def require_image(self, bag: Bag) -> str:
        """The topic of the images.

        Raises:
            DataError: The recording has none; the message names those that might be meant.
        """
        if "image" in self.camera:
            return self.camera["image"]
        others = sorted(name for name, kind in bag.topics.items() if kind in (IMAGE, COMPRESSED_IMAGE))
        raise DataError(
            f"{bag.path}: there are no images on {self.own('image')}; remedy: name their topic with --image; "
            f"there are {', '.join(others) or 'no images at all'}"
        )


class Bag:
    """A recording, as a context.

    Args:
        path: A folder of rosbag2's, or one .mcap or .db3 file.

    Raises:
        DataError: On entering: it is not there, no recording, cut off, or says nothing about its types where those are
            not known here either.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: AnyReader | None = None
        self.topics: dict[str, str] = {}  # types by name, of those with messages
        self.noted: dict[str, str] = {}  # what the recorder wrote beside the messages

    def __enter__(self) -> Bag:
        with self._explained():
            path = _readable(self.path)
            self._reader = AnyReader([path], default_typestore=known_types())
            self._reader.open()
            for connection in self._reader.connections:
                if connection.msgcount:
                    self.topics[connection.topic] = connection.msgtype
            (reader,) = self._reader.readers
            storage = getattr(reader, "storage", None)
            if isinstance(storage, DirectoryReader):
                self.noted = storage.metadata.custom or {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None and self._reader.stack:
            self._reader.close()

    def messages(self, *topics: str, at_ns: int | None = None) -> Iterator[Logged]:
        """The messages of some topics in the order in which they were recorded.

        Args:
            *topics: Full names; those that the recording lacks have no messages.
            at_ns: Only what was recorded at this moment, which the file's index finds.

        Raises:
            DataError: The recording is damaged.
        """
        reader = self._opened()
        connections = [
            stored
            for connection in reader.connections
            if connection.topic in topics
            for stored in _as_stored(connection)
        ]
        if not connections:
            return
        stored = reader.messages(connections, at_ns, None if at_ns is None else at_ns + 1)
        while True:
            with self._explained():
                found = next(stored, None)
            if found is None:
                return
            connection, time_ns, data = found
            yield Logged(connection.topic, connection.msgtype, time_ns, bytes(data))

    def decode(self, message: Logged) -> Any:
        """The message with its fields, as its type was when it was recorded; numbers of an array are numpy's.

        Raises:
            DataError: It is damaged, or its type is not known.
        """
        with self._explained():
            return self._opened().deserialize(message.data, message.kind)

    def digest(self, kind: str) -> str:
        """That of a type as it was when it was recorded; see `bag_types.Definition`."""
        return self._opened().typestore.hash_rihs01(kind)

    def robot(self, namespace: str | None = None, image: str | None = None) -> RobotTopics:
        """The topics of the robot that is meant.

        Args:
            namespace: Of the robot; None: there is only one.
            image: Topic of its images; None: as the recorder noted, or by its usual name.

        Raises:
            DataError: There is no such robot, several where none was named, or no such topic.
        """
        kinds = {"segmentation": SEGMENTATION, "instruction": INSTRUCTION}
        found = sorted(
            {
                topic.removesuffix(name)
                for name, kind in kinds.items()
                for topic, recorded in self.topics.items()
                if recorded == kind and topic.endswith(f"/{name}")
            }
        )
        if not found:
            raise DataError(
                f"{self.path}: nothing was recorded of a perception node: there is no topic `segmentation` or "
                f"`instruction` of pixelrs_ros; topics: {', '.join(sorted(self.topics)) or 'none'}"
            )
        wanted = found[0] if namespace is None else f"/{namespace.strip('/')}/".replace("//", "/")
        names = ", ".join(each.rstrip("/") or "/" for each in found)
        if namespace is None and len(found) > 1:
            raise DataError(f"{self.path}: there are several robots; remedy: one of --namespace {names}")
        if wanted not in found:
            raise DataError(f"{self.path}: there is no robot in the namespace {namespace!r}; there are {names}")
        if image is not None and image not in self.topics:
            raise DataError(f"{self.path}: there is no topic {image!r}; there are {', '.join(sorted(self.topics))}")
        usual = {name: self.noted.get(f"{wanted}{name}", f"{wanted}{name}") for name in CAMERA_TOPICS}
        named = usual | ({"image": image} if image else {})
        camera = {}
        for name, topic in named.items():
            for candidate in (topic, f"{topic}/compressed", f"{topic}/compressedDepth"):
                if candidate in self.topics:
                    camera[name] = candidate
                    break
        return RobotTopics(wanted, camera)

    def _opened(self) -> AnyReader:
        assert self._reader is not None
        return self._reader

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Damaged files make the reader fail in whatever way; each is told as what it is."""
        try:
            yield
        except DataError:
            raise
        except Exception as error:
            said = str(error) or type(error).__name__
            raise DataError(f"{self.path}: the recording cannot be read: {said.removesuffix('.')}") from error


def _as_stored(connection: Connection) -> list[Connection]:
    """A topic as rosbag2's files name it.

    rosbags takes a file's topic for another one where its quality of service is not word for word that of the folder's
    metadata, as after `ros2 bag convert`, and leaves its messages out.
    """
    folder = connection.owner
    if not isinstance(folder, DirectoryReader):
        return [connection]
    same = [
        stored
        for file in folder.storages
        for stored in file.connections
        if (stored.topic, stored.msgtype) == (connection.topic, connection.msgtype)
    ]
    found: list[Connection] = []
    for stored in same:
        named = connection._replace(ext=stored.ext)
        if named not in found:
            found.append(named)
    return found


def _readable(path: Path) -> Path:
    """What the reader is to open; a folder without metadata may still hold one whole file.

    Raises:
        DataError: There is none, or it was cut off.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such recording")
    if path.is_dir() and not (path / METADATA).is_file():
        files = sorted(file for file in path.iterdir() if file.suffix in (".mcap", ".db3"))
        if not files:
            raise DataError(f"{path}: no recording: there is no {METADATA} and no .mcap or .db3 file")
        if len(files) > 1:
            raise DataError(f"{path}: there is no {METADATA}; remedy: `ros2 bag reindex {path}`")
        (path,) = files
    for file in path.glob("*.mcap") if path.is_dir() else (path,):
        if file.suffix == ".mcap":
            _require_whole(file)
        elif file.suffix != ".db3":
            raise DataError(f"{file}: neither a folder of rosbag2's, nor an .mcap or .db3 file")
    return path


def _require_whole(file: Path) -> None:
    data = file.open("rb")
    with data:
        begins = data.read(len(_MCAP_MAGIC)) == _MCAP_MAGIC
        data.seek(max(0, file.stat().st_size - len(_MCAP_MAGIC)))
        ends = data.read() == _MCAP_MAGIC
    if not begins:
        raise DataError(f"{file}: is not MCAP")
    if not ends:
        raise DataError(f"{file}: was cut off: the recorder was killed, or the disk was full; {_MCAP_REMEDY}")
