"""The archive against a simple model, through restarts, broken files and a disk that refuses."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pixelrs_ros.dialogue.archive import FILE_NAME, DialogueArchive, Storage
from pixelrs_ros.dialogue.database import VERSION, Database
from pixelrs_ros.dialogue.evidence import Evidence, StoredMask
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.errors import StorageError
from pixelrs_ros.types import Segment, Status, Turn

NS_PER_S = 1_000_000_000
MAX_TURNS = 3
# Names as hostile as a message may carry.
SESSIONS = ("a", "'; DROP TABLE turns; --", "../../etc/passwd", "%s{0}", "日本\u202e\x07", "x" * 256)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def ns(self) -> int:
        return round(self.now_s * NS_PER_S)

    def s(self) -> float:
        return self.now_s


def an_archive(
    folder: Path | None, clock: Clock | None = None, max_sessions: int = 2, max_days: float = 0.0, max_mb: float = 0.0
) -> DialogueArchive:
    clock = clock or Clock()
    storage = None if folder is None else Storage(folder, max_days=max_days, max_mb=max_mb)
    return DialogueArchive(DialogueStore(max_sessions, MAX_TURNS, clock.s), storage, clock.ns)


def a_turn(index: int, text: str = "the mug") -> Turn:
    return Turn(index, text, "[OBJ] it[SEG].", Status.GROUNDED, 5 + index, 7, "camera")


def evidence(value: int = 0, picture: bytes | None = b"jpeg") -> Evidence:
    mask = np.zeros((5, 7), np.bool_)
    mask[1, value % 7] = True
    return Evidence(bytes([value]), picture, (StoredMask.of(Segment(f"it {value}", mask, 0.5)),))


def say(archive: DialogueArchive, session_id: str, text: str = "the mug", with_it: Evidence | None = None) -> None:
    archive.put(session_id, a_turn(archive.next_index(session_id), text), with_it)


def words(archive: DialogueArchive, session_id: str = "a") -> list[str]:
    return [turn.text for turn in archive.turns(session_id)]


def notices(archive: DialogueArchive) -> str:
    return "\n".join(notice.text for notice in archive.take_notices())


def limit_pages(archive: DialogueArchive, pages: int) -> None:
    """Stand for a disk of that size; SQLite takes no less than the file has, so 0 is a full one."""
    assert archive._database is not None
    archive._database._connection.execute(f"PRAGMA max_page_count = {max(pages, 1)}")


def make_read_only(archive: DialogueArchive, pages: int) -> None:
    """Stand for a disk that may be written or, with 0, not."""
    assert archive._database is not None
    archive._database._connection.execute(f"PRAGMA query_only = {pages == 0}")


class ArchiveMachine(RuleBasedStateMachine):
    """Any order of turns, corrections, resets, silences and restarts, with and without a disk that refuses."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.max_sessions = len(SESSIONS)
        self.archive = an_archive(Path(self.folder.name), self.clock, self.max_sessions)
        self.expected: dict[str, list[Turn]] = {}
        self.active_s: dict[str, float] = {}
        self.spoken = 0
        self.refused = False

    @rule(session=st.sampled_from(SESSIONS), replace=st.booleans(), with_it=st.booleans())
    def speak(self, session: str, replace: bool, with_it: bool) -> None:
        self.spoken += 1
        turns = self.expected.setdefault(session, [])
        index = self.archive.next_index(session)
        assert index == (turns[-1].index + 1 if turns else 0)
        if replace and turns:
            index = turns.pop().index
        turns.append(a_turn(index, f"number {self.spoken}"))
        self.archive.put(session, turns[-1], evidence(self.spoken % 200) if with_it else None)
        self.active_s[session] = self.clock.now_s

    @rule(session=st.sampled_from(SESSIONS))
    def reset(self, session: str) -> None:
        assert self.archive.reset(session) == len(self.expected.pop(session, [])[-MAX_TURNS:])

    @rule(seconds=st.floats(0.0, 50.0))
    def pass_time(self, seconds: float) -> None:
        self.clock.now_s += seconds

    @rule(idle_s=st.floats(1.0, 100.0))
    def expire(self, idle_s: float) -> None:
        silent = {name for name in self.expected if self.clock.now_s - self.active_s[name] > idle_s + 1e-3}
        awake = {name for name in self.expected if self.clock.now_s - self.active_s[name] < idle_s - 1e-3}
        gone = set(self.archive.expire(idle_s))
        assert silent <= gone and not awake & gone
        for session in gone:
            del self.expected[session]

    @precondition(lambda self: not self.archive.state().unsaved)
    @rule(max_sessions=st.sampled_from((1, 2, len(SESSIONS), len(SESSIONS))))
    def restart(self, max_sessions: int) -> None:
        self.archive.close()
        self.max_sessions = max_sessions
        self.refused = False
        self.archive = an_archive(Path(self.folder.name), self.clock, max_sessions)

    @precondition(lambda self: self.max_sessions == len(SESSIONS))  # else memory has no room for what the disk refuses
    @rule()
    def let_the_disk_refuse(self) -> None:
        make_read_only(self.archive, 0)
        self.refused = True

    @rule()
    def let_the_disk_accept(self) -> None:
        make_read_only(self.archive, 1)

    @invariant()
    def is_as_expected(self) -> None:
        for session in SESSIONS:
            assert list(self.archive.turns(session)) == self.expected.get(session, [])[-MAX_TURNS:]
        assert {one.session_id for one in self.archive.summaries()} == set(self.expected)

    @invariant()
    def is_on_disk_too(self) -> None:
        database = self.archive._database
        assert database is not None
        assert self.refused or not self.archive.state().problem
        if not self.archive.state().unsaved:
            for session in SESSIONS:
                assert database.turns(session) == self.expected.get(session, [])[-MAX_TURNS:]

    def teardown(self) -> None:
        if hasattr(self, "archive"):
            assert "set aside" not in notices(self.archive)
            self.archive.close()
            self.folder.cleanup()


TestArchive = ArchiveMachine.TestCase
TestArchive.settings = settings(max_examples=25, stateful_step_count=25)


def test_a_dialogue_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = an_archive(tmp_path)
    for count in range(MAX_TURNS + 1):
        say(first, "a", f"turn {count}")
    turns = first.turns("a")
    first.close()
    again = an_archive(tmp_path)
    assert again.turns("a") == turns and turns[-1] == a_turn(MAX_TURNS, f"turn {MAX_TURNS}")
    assert again.next_index("a") == MAX_TURNS + 1
    say(again, "a", "and on")
    assert words(again)[-1] == "and on" and again.next_index("a") == MAX_TURNS + 2
    again.close()


def test_a_dialogue_that_memory_has_no_room_for_is_read_back(tmp_path: Path) -> None:
    archive = an_archive(tmp_path, max_sessions=2)
    for session in SESSIONS:
        say(archive, session, session)
    assert archive.in_memory() == SESSIONS[-2:]
    assert [summary.session_id for summary in archive.summaries()] and words(archive, "a") == ["a"]
    assert archive.in_memory() == SESSIONS[-2:], "to be read is not to be spoken to"
    say(archive, "a", "again")
    assert words(archive, "a") == ["a", "again"]
    assert archive.in_memory() == (SESSIONS[-1], "a")
    without = an_archive(None, max_sessions=1)
    say(without, "a")
    say(without, "b")
    assert words(without, "a") == [] and without.next_index("a") == 0
    assert without.take_notices() == [] and without.state().unsaved == 0, "nothing was promised"


def test_images_and_masks_are_kept_with_their_turns_and_go_with_them(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one", evidence(1, b"first"))
    assert archive.holds_picture("a", b"\x01") and not archive.holds_picture("b", b"\x01")
    say(archive, "a", "two", evidence(1, None))
    archive.put("a", a_turn(1, "too"), evidence(2, b"second"))
    found = archive.evidence("a")
    assert [(turn.text, one.picture, one.masks[0].phrase) for turn, one in found] == [
        ("one", b"first", "it 1"),
        ("too", b"second", "it 2"),
    ]
    assert np.flatnonzero(found[1][1].masks[0].mask()).tolist() == [7 + 2]
    for count in range(2, MAX_TURNS + 2):
        say(archive, "a", f"{count}")
    assert not archive.holds_picture("a", b"\x01"), "the last turn about it is forgotten"
    archive.reset("a")
    assert not archive.holds_picture("a", b"\x02") and archive.evidence("a") == ()
    archive.close()


def test_what_was_reset_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "the combination is 7319")
    archive.reset("a")
    archive.close()
    assert b"7319" not in (tmp_path / FILE_NAME).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_only_the_owner_may_read_the_store(tmp_path: Path) -> None:
    archive = an_archive(tmp_path / "state" / "perception")
    say(archive, "a")
    for path in (tmp_path / "state" / "perception", *(tmp_path / "state" / "perception").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    archive.close()


def test_silence_ends_a_dialogue_here_and_on_disk(tmp_path: Path) -> None:
    clock = Clock()
    archive = an_archive(tmp_path, clock, max_sessions=1)
    say(archive, "on disk")
    say(archive, "at hand")
    clock.now_s += 10
    assert archive.expire(60.0) == ()
    clock.now_s += 60
    assert archive.expire(60.0, spare="at hand") == ("on disk",)
    assert "'on disk' is over: 1 turns, silent for 60 s" in notices(archive)
    archive.close()
    again = an_archive(tmp_path, clock)
    assert [(one.session_id, round(one.idle_s)) for one in again.summaries()] == [("at hand", 70)]
    assert again.expire(60.0) == ("at hand",) and again.next_index("at hand") == 0
    again.close()


def test_a_clock_that_jumps_back_ends_nothing(tmp_path: Path) -> None:
    clock = Clock()
    archive = an_archive(tmp_path, clock)
    say(archive, "a")
    archive.close()
    clock.now_s -= 1000
    again = an_archive(tmp_path, clock)
    assert again.expire(1.0) == () and again.summaries()[0].idle_s == 0.0
    again.close()


def test_old_dialogues_and_too_many_are_deleted(tmp_path: Path) -> None:
    clock = Clock()
    archive = an_archive(tmp_path, clock, max_sessions=1, max_days=1.0, max_mb=0.5)
    say(archive, "old")
    clock.now_s += 2 * 86_400
    for session in ("one", "two", "three", "four"):
        say(archive, session, "see", evidence(0, session.encode() * 50_000))
        clock.now_s += 1
    archive.prune()
    said = notices(archive)
    assert "'old' is over" in said and "'one' was deleted" in said
    assert [one.session_id for one in archive.summaries()] == ["three", "four"]
    archive.close()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garble(path: Path) -> None:
    path.write_bytes(b"\x93" * path.stat().st_size)


def garble_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = b"\x93" * (len(content) - 8192)
    path.write_bytes(content)


def change(statement: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()

    return run


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE = [
    cut,
    garble,
    garble_the_middle,
    change(f"PRAGMA user_version = {VERSION + 1}"),
    change("PRAGMA application_id = 5"),
    make_a_folder,
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_store_is_set_aside_and_a_new_one_begun(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    archive = an_archive(tmp_path)
    for count in range(3):
        say(archive, "a", f"turn {count}", evidence(count, b"jpeg" * 9000))
    archive.close()
    damage(tmp_path / FILE_NAME)
    again = an_archive(tmp_path)
    state = again.state()
    (kept,) = (path for path in tmp_path.iterdir() if ".damaged-" in path.name and path.suffix == ".sqlite3")
    assert f"set aside as {kept}" in state.problem and not state.failing
    assert state.problem in notices(again)
    assert words(again) == []
    say(again, "a", "anew")
    again.close()
    assert words(an_archive(tmp_path)) == ["anew"]


def test_a_store_that_may_not_be_written_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a")
    archive.close()
    with monkeypatch.context() as refusing:  # as for a file of another user, which does not stop root
        refusing.setattr(os, "access", lambda path, mode: False)
        again = an_archive(tmp_path)
    assert "not a file that this user may read and write; it was set aside" in again.state().problem
    again.close()


def test_a_store_that_was_set_aside_is_deleted_like_an_old_dialogue(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 999)
    clock = Clock()
    clock.now_s = time.time()
    archive = an_archive(tmp_path, clock, max_days=1.0)
    (kept,) = tmp_path.glob("*.damaged-*")
    archive.prune()
    assert kept.exists()
    archive.close()
    clock.now_s += 2 * 86_400
    archive = an_archive(tmp_path, clock, max_days=1.0)
    archive.prune()
    assert not kept.exists()
    archive.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE turns SET status = 'odd'", "UPDATE turns SET text = CAST(x'ff' AS TEXT)"]
)
def test_damage_that_shows_when_a_dialogue_is_read(tmp_path: Path, statement: str) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a")
    archive.close()
    change(statement)(tmp_path / FILE_NAME)
    again = an_archive(tmp_path)
    assert again.state().problem == ""
    say(again, "b", "at hand")
    assert words(again, "a") == []
    assert "set aside" in again.state().problem
    say(again, "a", "anew")
    again.close()
    once_more = an_archive(tmp_path)
    assert words(once_more, "a") == ["anew"] and words(once_more, "b") == ["at hand"]
    once_more.close()


def test_a_store_that_is_taken_away_is_written_anew(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one")
    (tmp_path / FILE_NAME).unlink()
    say(archive, "a", "two")
    assert "has been taken away" in archive.state().problem
    archive.close()
    assert words(an_archive(tmp_path)) == ["one", "two"]


def test_a_folder_that_cannot_be_made_leaves_the_dialogues_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    archive = an_archive(tmp_path / "file" / "state")
    state = archive.state()
    assert state.failing and state.path is None and "storage_dir" in state.problem
    assert [notice.is_error for notice in archive.take_notices()] == [True]
    say(archive, "a", "one")
    say(archive, "a", "two")
    assert words(archive) == ["one", "two"] and archive.reset("a") == 2


def test_a_store_that_cannot_be_set_aside_leaves_the_dialogues_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 999)

    def rename(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "rename", rename)
    archive = an_archive(tmp_path)
    assert "is damaged" in archive.state().problem
    assert "nor can it be set aside: Read-only file system" in archive.state().problem
    say(archive, "a", "one")
    assert words(archive) == ["one"] and archive.state().path is None
    archive.close()


def test_a_relative_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "must be an absolute path, got 'store'" in an_archive(Path("store")).state().problem
    assert not list(tmp_path.iterdir())


def test_a_second_node_leaves_the_store_to_the_first(tmp_path: Path) -> None:
    first = an_archive(tmp_path)
    say(first, "a", "mine")
    second = an_archive(tmp_path)
    assert "held by another process" in second.state().problem and second.state().failing
    say(second, "a", "yours")
    assert words(second) == ["yours"]
    say(first, "a", "mine too")
    second.close()
    first.close()
    assert words(an_archive(tmp_path)) == ["mine", "mine too"]
    assert [path.name for path in tmp_path.iterdir() if "damaged" in path.name] == []


@pytest.mark.parametrize("next_speaker", ["a", "b"])
@pytest.mark.parametrize(("limit", "words_of_it"), [(limit_pages, "full"), (make_read_only, "readonly")])
def test_a_disk_that_refuses_costs_no_turn_and_is_made_up_for(
    tmp_path: Path, limit: Callable[[DialogueArchive, int], None], words_of_it: str, next_speaker: str
) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one", evidence(1))
    say(archive, "b", "forget me")
    limit(archive, 0)
    for text in ("two", "three"):
        say(archive, "a", text * 5000, evidence(2, b"jpeg" * 9000))
    assert [len(text) for text in words(archive)] == [3, 15_000, 25_000]
    state = archive.state()
    assert state.failing and state.unsaved == 1 and words_of_it in state.problem
    assert len([notice for notice in archive.take_notices() if notice.is_error]) == 1, "it is said once"
    limit(archive, 1_000_000)
    say(archive, next_speaker, "go on")
    assert not archive.state().failing and archive.state().problem == "" and "stored again" in notices(archive)
    expected = archive.turns("a")
    archive.close()
    again = an_archive(tmp_path)
    assert again.turns("a") == expected
    assert [one.picture for _, one in again.evidence("a")][-2:] == [None, None]
    again.close()


def test_what_is_forgotten_while_the_disk_refuses_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "secret")
    with monkeypatch.context() as refusing:
        refusing.setattr(Database, "delete", refuse)
        assert archive.reset("a") == 1
    assert archive.state().failing and words(archive) == [] and archive.next_index("a") == 0
    assert archive.summaries() == ()
    say(archive, "b")
    archive.close()
    assert words(an_archive(tmp_path)) == []


def test_a_dialogue_that_could_not_be_read_is_not_mixed_with_what_is_said_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = an_archive(tmp_path)
    for text in ("one", "two"):
        say(archive, "a", text)
    archive.close()
    again = an_archive(tmp_path)
    with monkeypatch.context() as refusing:
        refusing.setattr(Database, "turns", refuse)
        refusing.setattr(Database, "find", refuse)
        say(again, "a", "anew")
    assert words(again) == ["anew"]
    say(again, "b")
    again.close()
    assert words(an_archive(tmp_path)) == ["anew"]


def test_turns_that_neither_disk_nor_memory_can_hold_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = an_archive(tmp_path, max_sessions=1)
    say(archive, "a", "stored")
    with monkeypatch.context() as refusing:
        refusing.setattr(Database, "save", refuse)
        say(archive, "a", "not stored")
        say(archive, "b")
    assert "the last turns of dialogue 'a' are lost" in notices(archive)
    assert words(archive, "a") == ["stored"]
    archive.close()


def refuse(*_: object) -> None:
    raise StorageError("disk I/O error")


def test_a_name_that_is_not_text_is_unknown_and_harms_nothing(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    assert archive.turns("\ud800") == () and archive.next_index("\ud800") == 0 and archive.reset("\ud800") == 0
    assert archive.state().problem == ""
    archive.close()
