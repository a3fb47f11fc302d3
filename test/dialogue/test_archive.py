"""The archive against a simple model, through restarts and silences."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest
from archive_bench import (
    MAX_TURNS,
    SESSIONS,
    Clock,
    a_turn,
    an_archive,
    evidence,
    make_read_only,
    notices,
    problem_of,
    say,
    words,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pixelrs_ros.dialogue.archive import FILE_NAME, DialogueArchive
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.errors import StorageError
from pixelrs_ros.types import Mark, Turn, Verdict

WITHOUT_POINTS = "ALTER TABLE turns DROP COLUMN point_x; ALTER TABLE turns DROP COLUMN point_y;"


def alter(folder: Path, script: str) -> None:
    """Change a closed store behind its back."""
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as store:
        store.executescript(script)


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
        self.skipped_to: dict[str, int] = {}
        self.spoken = 0
        self.refused = False

    @rule(session=st.sampled_from(SESSIONS), replace=st.booleans(), with_it=st.booleans(), skipped=st.integers(0, 2))
    def speak(self, session: str, replace: bool, with_it: bool, skipped: int) -> None:
        self.spoken += 1
        turns = self.expected.setdefault(session, [])
        index = self.archive.next_index(session)
        assert index == (max(turns[-1].index + 1, self.skipped_to.get(session, 0)) if turns else 0)
        if replace and turns:
            turns.pop()
        turns.append(a_turn(index + skipped, f"number {self.spoken}"))
        with_it_or_not = evidence(self.spoken % 200) if with_it else None
        self.archive.put(session, turns[-1], with_it_or_not, replace_last=replace)
        self.active_s[session] = self.clock.now_s

    @rule(session=st.sampled_from(SESSIONS), count=st.integers(1, 3))
    def fail(self, session: str, count: int) -> None:
        if session in self.expected:
            self.skipped_to[session] = self.archive.next_index(session) + count
            self.archive.skip_to(session, self.skipped_to[session])
        else:
            self.archive.skip_to(session, count)

    @rule(session=st.sampled_from(SESSIONS))
    def reset(self, session: str) -> None:
        assert self.archive.reset(session) == len(self.expected.pop(session, [])[-MAX_TURNS:])
        self.skipped_to.pop(session, None)

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
            self.skipped_to.pop(session, None)

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
        database = self.archive.database
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
    archive.put("a", a_turn(2, "too"), evidence(2, b"second"), replace_last=True)
    found = archive.evidence("a")
    assert [(turn.text, one.picture, one.masks[0].phrase) for turn, one in found] == [
        ("one", b"first", "it 1"),
        ("too", b"second", "it 2"),
    ]
    assert np.flatnonzero(found[1][1].masks[0].mask()).tolist() == [7 + 2]
    for count in range(3, MAX_TURNS + 3):
        say(archive, "a", f"{count}")
    assert not archive.holds_picture("a", b"\x01"), "the last turn about it is forgotten"
    archive.reset("a")
    assert not archive.holds_picture("a", b"\x02") and archive.evidence("a") == ()
    archive.close()


def test_a_store_of_the_version_before_is_read_and_goes_on(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one", evidence(1, b"first"))
    archive.close()
    alter(
        tmp_path,
        f"{WITHOUT_POINTS} ALTER TABLE turns DROP COLUMN instruction_id; DROP TABLE marks; PRAGMA user_version = 1;",
    )
    again = an_archive(tmp_path)
    assert not problem_of(again) and words(again) == ["one"]
    assert [turn.instruction_id for turn in again.turns("a")] == [""]
    again.put("a", dataclasses.replace(a_turn(1, "two"), instruction_id="mine"), evidence(2, b"second"))
    again.close()
    last = an_archive(tmp_path)
    assert [turn.instruction_id for turn in last.turns("a")] == ["", "mine"]
    assert [one.picture for _, one in last.evidence("a")] == [b"first", b"second"]
    last.close()


def test_numbers_of_turns_that_failed_are_not_used_again_after_a_restart(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a")
    archive.skip_to("a", 5)
    archive.close()
    again = an_archive(tmp_path)
    assert again.next_index("a") == 5 and words(again) == ["the mug"]
    again.close()


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


def test_marks_are_stored_changed_taken_back_and_forgotten_with_their_turn(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one", evidence(1))
    say(archive, "a", "two", evidence(2))
    bad, good = Mark(Verdict.BAD, "the other mug"), Mark(Verdict.GOOD)
    archive.mark("a", 0, bad)
    archive.mark("a", 1, bad)
    archive.mark("a", 1, good)
    assert archive.marks("a") == {0: bad, 1: good} and archive.marks("b") == {}
    with pytest.raises(StorageError, match="turn 7 of dialogue 'a' is not stored"):
        archive.mark("a", 7, bad)
    archive.close()
    again = an_archive(tmp_path)
    assert again.marks("a") == {0: bad, 1: good}
    again.mark("a", 1, None)
    again.put("a", a_turn(2, "another two"), evidence(3), replace_last=True)
    assert again.marks("a") == {0: bad} and not problem_of(again)
    again.reset("a")
    assert again.marks("a") == {}
    again.close()


def test_a_store_without_marks_gains_them(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one", evidence(1, b"first"))
    archive.close()
    alter(tmp_path, f"{WITHOUT_POINTS} DROP TABLE marks; PRAGMA user_version = 2;")
    again = an_archive(tmp_path)
    again.mark("a", 0, Mark(Verdict.BAD))
    assert words(again) == ["one"] and again.marks("a") == {0: Mark(Verdict.BAD)}
    assert [one.picture for _, one in again.evidence("a")] == [b"first"]
    again.close()


def test_where_the_user_pointed_is_kept_also_by_a_store_of_the_version_before(tmp_path: Path) -> None:
    archive = an_archive(tmp_path)
    say(archive, "a", "one", evidence(1, b"first"))
    archive.close()
    alter(tmp_path, f"{WITHOUT_POINTS} PRAGMA user_version = 3;")
    again = an_archive(tmp_path)
    again.put("a", dataclasses.replace(a_turn(1, "this one"), point=(0.0, 479.5)), evidence(2))
    again.close()
    last = an_archive(tmp_path)
    assert [turn.point for turn in last.turns("a")] == [None, (0.0, 479.5)] and not problem_of(last)
    last.close()
    alter(tmp_path, "UPDATE turns SET point_x = NULL WHERE number = 1;")
    hurt = an_archive(tmp_path)
    assert hurt.turns("a") == () and "point_x" in problem_of(hurt)
    hurt.close()


def test_without_a_store_nothing_can_be_marked() -> None:
    archive = DialogueArchive(DialogueStore(2, 2))
    archive.put("a", a_turn(0))
    with pytest.raises(StorageError, match="store_dialogues"):
        archive.mark("a", 0, Mark(Verdict.BAD))
    assert archive.marks("a") == {}
