"""Real processes that are killed while they write, and a real limit on what a file may hold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pixelrs_ros.dialogue.archive import DialogueArchive
from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.dialogue.store import DialogueStore

ROOT = Path(__file__).resolve().parents[2]
MAX_TURNS = 100
COMMON = """
import os, resource, signal, sys
from pathlib import Path
from pixelrs_ros.dialogue.archive import DialogueArchive
from pixelrs_ros.dialogue.evidence import Evidence
from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.types import Status, Turn

archive = DialogueArchive(DialogueStore(4, 100), Storage(Path(sys.argv[1])))

def say(size=1000):
    index = archive.next_index("a")
    evidence = Evidence(bytes([index % 250]), os.urandom(size))
    archive.put("a", Turn(index, f"number {index}", " yes.", Status.ANSWERED), evidence)
    return index
"""
SPEAKER = (
    COMMON
    + """
while True:
    print(say(50_000), flush=True)
"""
)
KILLED_AT = (
    COMMON
    + """
for _ in range(5):
    say()
def end(statement):
    if statement.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
archive.database.connection.set_trace_callback(end)
say()
"""
)
LIMITED = (
    COMMON
    + """
say()
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
for _ in range(5):
    say(90_000)
assert archive.state().failing, archive.state()
print(archive.state().problem)
assert [turn.index for turn in archive.turns("a")] == list(range(6))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
say()
assert not archive.state().failing, archive.state()
archive.close()
"""
)


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def reopen(folder: Path) -> DialogueArchive:
    archive = DialogueArchive(DialogueStore(4, MAX_TURNS), Storage(folder))
    assert archive.state().problem is None
    return archive


def check(archive: DialogueArchive, at_least: int) -> None:
    """All turns in order, each with the image that was stored with it."""
    turns = archive.turns("a")
    first, end = turns[0].index, archive.next_index("a")
    assert end > at_least
    assert [turn.text for turn in turns] == [f"number {index}" for index in range(first, end)]
    assert all(evidence.picture for _, evidence in archive.evidence("a"))


def test_killed_at_any_moment_what_was_answered_is_stored(tmp_path: Path) -> None:
    answered = -1
    for count in (1, 3, 20, 60):  # across restarts of the same store
        process = start(SPEAKER, str(tmp_path))
        assert process.stdout is not None
        with process:
            for _ in range(count):
                line = process.stdout.readline()
                assert line == f"{answered + 1}\n", process.stderr and process.stderr.read()
                answered += 1
            process.kill()  # most likely in the middle of the next turns' writes
        archive = reopen(tmp_path)
        check(archive, answered)
        answered = archive.next_index("a") - 1
        archive.close()


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO pictures", "INSERT INTO turns", "DELETE FROM", "COMMIT"])
def test_killed_inside_a_write_the_turn_is_whole_or_not_there(tmp_path: Path, statement: str) -> None:
    process = start(KILLED_AT, str(tmp_path), statement)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, errors
    archive = reopen(tmp_path)
    check(archive, 4)
    assert archive.next_index("a") == 5
    archive.close()


def test_a_file_that_may_not_grow_costs_no_turn(tmp_path: Path) -> None:
    process = start(LIMITED, str(tmp_path))
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "turns are kept in memory only" in output
    archive = reopen(tmp_path)
    assert [turn.index for turn in archive.turns("a")] == list(range(7))
    archive.close()
