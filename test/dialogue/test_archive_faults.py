"""The archive with damaged files, with a disk that refuses, and with others who want its files."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import os
import shutil
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from archive_bench import (
    NS_PER_S,
    Clock,
    an_archive,
    evidence,
    limit_pages,
    make_read_only,
    notices,
    problem_of,
    refuse,
    say,
    words,
)

from pixelrs_ros.dialogue import archive as archives
from pixelrs_ros.dialogue.archive import EXPORTS, FILE_NAME, DialogueArchive
from pixelrs_ros.dialogue.database import Database
from pixelrs_ros.dialogue.evidence import StoredMask
from pixelrs_ros.dialogue.store_files import PARTIAL
from pixelrs_ros.dialogue.tables import VERSION
from pixelrs_ros.types import MAX_STAMP_NS, MIN_STAMP_NS

HELD = "held by another process"


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


@pytest.mark.usefixtures("codes")
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
    assert f"set aside as {kept}" in (state.problem or "") and not state.failing
    assert (state.problem or "?") in notices(again)
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
    assert "not a file that this user may read and write; it was set aside" in problem_of(again)
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
    assert again.state().problem is None
    say(again, "b", "at hand")
    assert words(again, "a") == []
    assert "set aside" in problem_of(again)
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
    assert "has been taken away" in problem_of(archive)
    archive.close()
    assert words(an_archive(tmp_path)) == ["one", "two"]


def test_a_folder_that_cannot_be_made_leaves_the_dialogues_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    archive = an_archive(tmp_path / "file" / "state")
    state = archive.state()
    assert state.failing and state.path is None and "storage_dir" in (state.problem or "")
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
    assert "is damaged" in problem_of(archive)
    assert "nor can it be set aside: Read-only file system" in problem_of(archive)
    say(archive, "a", "one")
    assert words(archive) == ["one"] and archive.state().path is None
    archive.close()


def test_a_relative_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "must be an absolute path, got 'store'" in problem_of(an_archive(Path("store")))
    assert not list(tmp_path.iterdir())


class Codeless(sqlite3.Connection):
    """A connection whose errors have no codes, as those of Python 3.10."""

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        with without_code():
            return super().execute(*arguments)

    def executescript(self, script: str) -> sqlite3.Cursor:
        with without_code():
            return super().executescript(script)


@contextlib.contextmanager
def without_code() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise type(error)(*error.args) from None


@pytest.fixture(params=["with codes", "as Python 3.10"])
def codes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What errors of SQLite tell of themselves."""
    if request.param == "as Python 3.10":
        monkeypatch.setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=Codeless))


@pytest.mark.usefixtures("codes")
def test_a_second_node_leaves_the_store_to_the_first(tmp_path: Path) -> None:
    first = an_archive(tmp_path)
    say(first, "a", "mine")
    second = an_archive(tmp_path)
    assert HELD in problem_of(second) and second.state().failing
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
    assert state.failing and state.unsaved == 1 and words_of_it in (state.problem or "")
    assert len([notice for notice in archive.take_notices() if notice.is_error]) == 1, "it is said once"
    limit(archive, 1_000_000)
    say(archive, next_speaker, "go on")
    assert not archive.state().failing and archive.state().problem is None and "stored again" in notices(archive)
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


def test_a_dialogue_that_could_not_be_read_is_not_mixed_with_a_new_one(
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


def test_a_name_that_is_not_text_is_unknown_and_harms_nothing(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    assert archive.turns("\ud800") == () and archive.next_index("\ud800") == 0 and archive.reset("\ud800") == 0
    assert archive.state().problem is None
    archive.close()


def hold(path: Path) -> sqlite3.Connection:
    """As another process that keeps the store to itself."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    return connection


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at every opportunity, and waits for nobody."""
    monkeypatch.setattr(archives, "_RETRY_PERIOD_S", 0.0)
    monkeypatch.setattr(archives, "BUSY_TIMEOUT_S", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_store_that_is_held_at_the_start_is_tried_again_and_loses_nothing(tmp_path: Path) -> None:
    first = an_archive(tmp_path, max_sessions=5)
    for session in ("a", "b", "c"):
        say(first, session, f"before {session}", evidence(1, b"before"))
    first.close()
    other = hold(tmp_path / FILE_NAME)
    archive = an_archive(tmp_path, max_sessions=5)
    state = archive.state()
    assert state.failing and state.path is None and HELD in (state.problem or "")
    say(archive, "a", "meanwhile")
    say(archive, "d", "meanwhile")
    assert archive.reset("b") == 0
    assert archive.reset("c") == 0
    say(archive, "c", "anew")
    archive.prune()
    assert archive.state().unsaved == 4 and len(archive.take_notices()) == 1, "said once, not at every try"
    other.close()
    archive.prune(spare="a")
    assert archive.state().failing, "a turn that is being answered has its number already"
    say(archive, "a", "after", evidence(2, b"after"))
    state = archive.state()
    assert not state.failing and state.problem is None and state.unsaved == 0 and state.path is not None
    assert "dialogues are stored again" in notices(archive)
    expected = {"a": ["before a", "meanwhile", "after"], "b": [], "c": ["anew"], "d": ["meanwhile"]}
    for _ in range(2):
        assert {session: words(archive, session) for session in expected} == expected
        assert [turn.index for turn in archive.turns("a")] == [0, 1, 2] and archive.next_index("a") == 3
        assert [found.picture for _, found in archive.evidence("a")] == [b"before", None, b"after"]
        archive.close()
        archive = an_archive(tmp_path, max_sessions=5)
    archive.close()


@pytest.mark.usefixtures("impatient")
def test_a_folder_that_is_mended_is_used_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    archive = an_archive(tmp_path / "state")
    say(archive, "a", "one")
    assert "it is not a folder" in problem_of(archive)
    (tmp_path / "state").unlink()
    archive.prune()
    assert archive.state().problem is None
    archive.close()
    say(archive, "a", "after the end")
    assert not archive.state().path
    assert words(an_archive(tmp_path / "state")) == ["one"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_the_store_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        archive = an_archive(tmp_path / "new" / "state")
        say(archive, "a", "one", evidence())
    finally:
        os.umask(before)
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").rglob("*")}
    assert found.pop("state") == 0o700 and set(found.values()) == {0o600} and len(found) >= 2
    archive.close()
    (tmp_path / "new" / "state" / FILE_NAME).chmod(0o644)  # as an earlier version left it
    an_archive(tmp_path / "new" / "state").close()
    assert (tmp_path / "new" / "state" / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_a_folder_that_everybody_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    archive = an_archive(folder)
    problem = problem_of(archive)
    assert (
        f"{folder} cannot be written: everybody may write there (mode {mode:04o})" in problem and "chmod o-w" in problem
    )
    say(archive, "a")
    assert list(folder.iterdir()) == [] and words(archive) == ["the mug"]


@pytest.mark.parametrize("name", [FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-journal"])
@pytest.mark.parametrize("there", [False, True])
def test_a_link_in_the_place_of_the_store_is_refused_and_not_followed(tmp_path: Path, name: str, there: bool) -> None:
    target = tmp_path / "elsewhere"
    if there:
        target.write_text("of somebody else")
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / name).symlink_to(target)
    archive = an_archive(tmp_path / "state")
    assert f"{name} is a symbolic link" in problem_of(archive)
    say(archive, "a")
    assert target.exists() == there and (tmp_path / "state" / name).is_symlink()
    assert not there or target.read_text() == "of somebody else"


def test_exports_that_were_cut_off_are_cleaned_up_at_the_next_start(tmp_path: Path) -> None:
    exports = tmp_path / EXPORTS
    (exports / f".20260101T000000-1-ab{PARTIAL}" / "images").mkdir(parents=True)
    (exports / f".20260101T000000-1-ab{PARTIAL}" / "images" / "a.jpg").write_bytes(b"half")
    (exports / "20260101T000000-2-cd").mkdir()
    (tmp_path / "precious").mkdir()
    (exports / f".link{PARTIAL}").symlink_to(tmp_path / "precious")
    archive = an_archive(tmp_path)
    assert [path.name for path in exports.iterdir()] == ["20260101T000000-2-cd"] and (tmp_path / "precious").is_dir()
    archive.close()
    (tmp_path / "precious" / f".x{PARTIAL}").write_text("mine")
    shutil.rmtree(exports)
    exports.symlink_to(tmp_path / "precious")
    an_archive(tmp_path).close()
    assert (tmp_path / "precious" / f".x{PARTIAL}").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE turns SET status = 3.5",
        "UPDATE turns SET status = x'00'",
        "UPDATE turns SET answer = x'6161'",
        "UPDATE turns SET frame_id = CAST(x'c3' AS TEXT)",
        "UPDATE turns SET number = -1",
        "UPDATE turns SET number = 1.5",
        "UPDATE turns SET number = 4294967296",
        "UPDATE turns SET image_ns = 'noon'",
        "UPDATE dialogues SET next_turn = 4294967296",
        "UPDATE dialogues SET next_turn = 'many'",
        "UPDATE dialogues SET active_ns = x''",
        "UPDATE masks SET score = 2.0",
        "UPDATE masks SET score = 'good'",
        "UPDATE masks SET height_px = -5",
        "UPDATE masks SET width_px = 1e9",
        "UPDATE masks SET phrase = x'ff'",
        "UPDATE masks SET bits = 'text'",
        "UPDATE pictures SET jpeg = 17",
    ],
)
def test_values_that_no_store_holds_are_damage_and_never_go_further(tmp_path: Path, statement: str) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one", evidence())
    archive.close()
    change(statement)(tmp_path / FILE_NAME)
    again = an_archive(tmp_path)
    again.summaries()
    again.next_index("a")
    again.turns("a")
    again.evidence("a")
    assert "is damaged: " in problem_of(again) and "set aside" in problem_of(again)
    say(again, "a", "anew")
    again.close()
    assert words(an_archive(tmp_path)) == ["anew"]


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize("table", ["turns", "masks", "pictures"])
def test_a_store_without_one_of_its_tables_is_damaged(tmp_path: Path, table: str) -> None:
    an_archive(tmp_path).close()
    change(f"DROP TABLE {table}")(tmp_path / FILE_NAME)
    assert f"is damaged: its table {table} lacks " in problem_of(an_archive(tmp_path))


@pytest.mark.parametrize("stamp_ns", [2147483647 * 10**9 + 4294967295, 2**63 - 1, -(2**63)])
def test_a_stamp_that_no_message_can_carry_is_read_as_the_nearest(tmp_path: Path, stamp_ns: int) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a")
    archive.close()
    change(f"UPDATE turns SET instruction_ns = {stamp_ns}, image_ns = {stamp_ns}")(tmp_path / FILE_NAME)
    again = an_archive(tmp_path)
    (turn,) = again.turns("a")
    nearest = MAX_STAMP_NS if stamp_ns > 0 else MIN_STAMP_NS
    assert turn.instruction_stamp_ns == turn.image_stamp_ns == nearest and again.state().problem is None
    assert -(2**31) <= nearest // NS_PER_S < 2**31
    again.close()


def test_the_words_of_an_error_do_not_decide_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "locked decode"  # what an earlier version looked for in messages
    archive = an_archive(folder)
    say(archive, "a", "the door is locked, decode it")
    limit_pages(archive, 0)
    say(archive, "a", "x" * 100_000)
    state = archive.state()
    assert state.failing and "full" in (state.problem or "") and "held by another" not in (state.problem or "")
    archive.close()


def test_a_mask_that_unpacks_to_more_than_its_size_is_refused() -> None:
    bomb = StoredMask("x", 0.5, 8, 8, zlib.compress(bytes(50_000_000)))
    for damaged in (bomb, dataclasses.replace(bomb, bits=zlib.compress(bytes(7)))):
        with pytest.raises(ValueError, match="is damaged: not 8 bytes for 64 pixels"):
            damaged.mask()
