"""Recordings that others read, recordings of others, and those that nobody can read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest
import yaml
from bag_bench import BagBench, a_dialogue, a_mask, a_picture
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from pixelrs_ros.client import mask_of
from pixelrs_ros.data.bag_types import definition_of
from pixelrs_ros.data.bag_writing import BagWriter, forget_recording
from pixelrs_ros.data.bags import Bag
from pixelrs_ros.data.from_bag import write_from_bag
from pixelrs_ros.errors import DataError, OutputError


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with BagBench(tmp_path / "bag", noted={"/image": "/image"}) as bench:
        a_dialogue(bench)
    return bench.path


def test_foxglove_reads_it(bag: Path) -> None:
    with (bag / "bag.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        summary = reader.get_summary()
        assert reader.get_header().profile == "ros2" and summary is not None
        assert {schema.encoding for schema in summary.schemas.values()} == {"ros2msg"}
        assert {channel.message_encoding for channel in summary.channels.values()} == {"cdr"}
        decoded = [(channel.topic, message) for _, channel, _, message in reader.iter_decoded_messages()]
    pictures = [message for topic, message in decoded if topic == "/image"]
    assert [bytes(message.data) for message in pictures] == [a_picture(index).tobytes() for index in range(4)]
    *_, last = [message for topic, message in decoded if topic == "/segmentation"]
    np.testing.assert_array_equal(mask_of(last.segments[0]), a_mask(30))


def test_rosbag2_finds_in_the_metadata_what_it_asks_for(bag: Path) -> None:
    said = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (said["version"], said["storage_identifier"], said["relative_file_paths"]) == (9, "mcap", ["bag.mcap"])
    topics = {one["topic_metadata"]["name"]: one for one in said["topics_with_message_count"]}
    assert said["message_count"] == sum(one["message_count"] for one in topics.values()) == 16
    image = topics["/image"]["topic_metadata"]
    assert (image["type"], image["serialization_format"]) == ("sensor_msgs/msg/Image", "cdr")
    assert image["type_description_hash"] == definition_of("sensor_msgs/msg/Image").digest
    assert said["custom_data"] == {"/image": "/image"}


def test_messages_are_read_though_the_metadata_tells_another_quality_of_service(bag: Path) -> None:
    # As `ros2 bag convert` and `reindex` leave it: the file and the folder each in their own words.
    never = {"sec": 0, "nsec": 0}
    other = {"history": "unknown", "depth": 0, "reliability": "reliable", "durability": "volatile"}
    other |= {"liveliness": "automatic", "avoid_ros_namespace_conventions": False}
    other |= dict.fromkeys(("deadline", "lifespan", "liveliness_lease_duration"), never)
    said = yaml.safe_load((bag / "metadata.yaml").read_text())
    for topic in said["rosbag2_bagfile_information"]["topics_with_message_count"]:
        topic["topic_metadata"]["offered_qos_profiles"] = [other]
    (bag / "metadata.yaml").write_text(yaml.safe_dump(said))
    with Bag(bag) as recording:
        assert sum(1 for _ in recording.messages(*recording.topics)) == 16
        (first, *_) = recording.messages("/image")
        assert bytes(recording.decode(first).data) == a_picture(0).tobytes()


def generated() -> Iterator[tuple[str, str]]:
    """Types and digests, as ROS's own generator has computed them; Humble's does not."""
    for prefix in os.environ["AMENT_PREFIX_PATH"].split(os.pathsep):
        for package in ("pixelrs_ros", "sensor_msgs", "diagnostic_msgs", "visualization_msgs", "lifecycle_msgs"):
            for path in sorted((Path(prefix) / "share" / package / "msg").glob("*.json")):
                name = f"{package}/msg/{path.stem}"
                hashes = {one["type_name"]: one["hash_string"] for one in json.loads(path.read_text())["type_hashes"]}
                yield name, hashes[name]


def test_definitions_have_the_digests_that_ros_gives_them() -> None:
    found = dict(generated())
    assert {name: definition_of(name).digest for name in found} == found
    text = definition_of("pixelrs_ros/msg/Segmentation").text
    assert "uint8 GROUNDED=1             # at least one segment" in text
    assert text.count("MSG: std_msgs/Header\n") == 1 and "MSG: builtin_interfaces/Time\n" in text


def test_types_that_are_not_installed_are_named(tmp_path: Path) -> None:
    for kind, said in (("nowhere_msgs/msg/Thing", "is not installed"), ("../msg/x", "is not the name of a message")):
        with pytest.raises(DataError, match=said):
            definition_of(kind)
    with BagWriter(tmp_path / "bag", {}) as writer, pytest.raises(DataError, match="nowhere_msgs/msg/Thing is not"):
        writer.write("/thing", "nowhere_msgs/msg/Thing", 1, b"")


def copied(bag: Path, out: Path, plugin: StoragePlugin, extra: str | None = None) -> Path:
    """The same recording as rosbag2 keeps it in SQLite or MCAP, with a further type that nobody knows here."""
    with Bag(bag) as read, Writer(out, version=8, storage_plugin=plugin) as writer:
        connections = {}
        for message in read.messages(*read.topics):
            if message.topic not in connections:
                definition = definition_of(message.kind)
                connections[message.topic] = writer.add_connection(
                    message.topic, message.kind, msgdef=definition.text, rihs01=definition.digest
                )
            writer.write(connections[message.topic], message.time_ns, message.data)
        if extra is not None:
            store = get_typestore(Stores.EMPTY)
            store.register(get_types_from_msg("uint8 a\n", extra))
            writer.write(writer.add_connection("/thing", extra, typestore=store), 1, b"\0\1\0\0\7")
    return out


def test_a_bag_of_sqlite_gives_the_same_with_and_without_definitions_in_it(bag: Path, tmp_path: Path) -> None:
    write_from_bag(bag, tmp_path / "mcap")
    sqlite = copied(bag, tmp_path / "sqlite", StoragePlugin.SQLITE3)
    write_from_bag(sqlite, tmp_path / "new")
    (database,) = sqlite.glob("*.db3")
    connection = apsw.Connection(str(database))
    connection.execute("DROP TABLE message_definitions")  # as before Iron
    connection.execute("UPDATE schema SET schema_version = 3")
    connection.close()
    write_from_bag(sqlite, tmp_path / "humble")
    write_from_bag(database, tmp_path / "file")
    for name in ("new", "humble", "file"):
        for path in (tmp_path / "mcap").rglob("*.*"):
            assert path.read_bytes() == (tmp_path / name / path.relative_to(tmp_path / "mcap")).read_bytes()


def test_other_types_in_a_bag_need_not_be_installed(bag: Path, tmp_path: Path) -> None:
    mixed = copied(bag, tmp_path / "mixed", StoragePlugin.MCAP, "nowhere_msgs/msg/Thing")
    assert write_from_bag(mixed, tmp_path / "prist").examples == 2
    with Bag(mixed) as read:
        (thing,) = read.messages("/thing")
        assert read.decode(thing).a == 7


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95, 0.999])
def test_a_file_that_was_cut_off_says_so(bag: Path, tmp_path: Path, share: float) -> None:
    file = bag / "bag.mcap"
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    for path in (bag, file):
        with pytest.raises(DataError, match=r"bag\.mcap: was cut off.*remedy: `mcap recover`"), Bag(path):
            pass
    (bag / "metadata.yaml").unlink()  # as a recorder leaves it that is killed
    with pytest.raises(DataError, match="was cut off"), Bag(bag):
        pass


def test_what_is_no_recording_is_refused(bag: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no bag")
    (tmp_path / "text.mcap").write_text("no bag")
    (tmp_path / "text.db3").write_text("no bag, and as long as a header of SQLite, which has a hundred bytes" * 9)
    shutil.copytree(bag, tmp_path / "no_file")
    (tmp_path / "no_file" / "bag.mcap").unlink()
    shutil.copytree(bag, tmp_path / "bad_metadata")
    (tmp_path / "bad_metadata" / "metadata.yaml").write_text("a: [")
    for name, said in {
        "nowhere": "there is no such recording",
        "empty": "no recording: there is no metadata.yaml and no .mcap",
        "notes.txt": "neither a folder of rosbag2's, nor an .mcap or .db3 file",
        "text.mcap": "is not MCAP",
        "text.db3": "cannot be read",
        "no_file": "cannot be read: Some database files are missing",
        "bad_metadata": "cannot be read: Could not load YAML",
    }.items():
        with pytest.raises(DataError, match=said), Bag(tmp_path / name):
            pass


def test_a_chunk_that_cannot_be_unpacked_is_an_error(bag: Path, tmp_path: Path) -> None:
    file = bag / "bag.mcap"
    data = file.read_bytes()
    file.write_bytes(data.replace(b"\x28\xb5\x2f\xfd", b"\xff\xff\xff\xff"))  # how Zstandard begins
    with pytest.raises(DataError, match="cannot be read"):
        write_from_bag(bag, tmp_path / "prist")


def test_bytes_that_a_disk_has_changed_are_no_message(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(100_000)  # Zstandard leaves it as it is, and a changed byte unpacks
    with BagWriter(tmp_path / "bag", {}) as writer:
        writer.write("/noise", "std_msgs/msg/String", 1, noise)
    file = tmp_path / "bag" / "bag.mcap"
    with Bag(file) as bag:
        assert [message.data for message in bag.messages("/noise")] == [noise]
    with file.open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert [message.data for _, _, message in reader.iter_messages()] == [noise]
    data = bytearray(file.read_bytes())
    data[data.index(noise[500:600])] ^= 1
    file.write_bytes(data)
    with Bag(file) as bag, pytest.raises(DataError, match=r"bag\.mcap: the recording cannot be read: .*"):
        list(bag.messages("/noise"))


def test_a_folder_without_metadata_is_read_if_its_only_file_is_whole(bag: Path) -> None:
    (bag / "metadata.yaml").unlink()
    with Bag(bag) as read:
        assert "/image" in read.topics and not read.noted
    shutil.copy(bag / "bag.mcap", bag / "bag_1.mcap")
    with pytest.raises(DataError, match=r"no metadata.yaml; remedy: `ros2 bag reindex"), Bag(bag):
        pass


def test_nothing_is_written_over_and_nothing_empty_is_left(bag: Path, tmp_path: Path) -> None:
    before = (bag / "bag.mcap").read_bytes()
    with pytest.raises(OutputError, match="there is something of this name already"):
        BagWriter(bag, {})
    assert (bag / "bag.mcap").read_bytes() == before
    with BagWriter(tmp_path / "silence", {}):
        pass
    assert not (tmp_path / "silence").exists()
    (bag / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        forget_recording(bag)
    (bag / "notes.txt").unlink()
    forget_recording(bag)
    forget_recording(bag)
    assert not bag.exists()


def test_a_full_disk_is_told(tmp_path: Path, small_files: None) -> None:
    with pytest.raises(OutputError, match="bag cannot be written: File too large"), BagBench(tmp_path / "bag") as bench:
        for index in range(300):
            bench.show(a_picture(index))
