"""A disk that is full, and one that may not be written."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from fault_bench import START_S, Caller
from pixelrs_ros.msg import Segmentation

from pixelrs_ros.dialogue.archive import DialogueArchive
from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.ros.tools.processes import Processes

FAILED = (Segmentation.INTERNAL_ERROR, Segmentation.BAD_INPUT, Segmentation.REJECTED, Segmentation.NO_FRAME)
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.mark.fault(
    "a full disk under a running node (no file may grow), and then room again",
    "turns are answered and remembered; ERROR on `/diagnostics`; with room again all of them are stored",
)
def test_turns_outlive_a_full_disk(processes: Processes, outside: Caller, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    given = {"checkpoint": "nano", "num_threads": "1", "autostart": "true", "storage_dir": str(folder)}
    words = [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]
    processes.start("robot", "pixelrs_ros.ros.perception.node", *words)
    outside.wait_until_active(lambda: not processes.ended(), START_S)
    said = ["I am thirsty.", "The blue one.", "By its handle.", "And now?"]

    def say(text: str) -> None:
        shown = outside.show()
        result = outside.say(text, stamp_ns=outside.stamp_of(shown))
        assert result.status not in FAILED, result.message

    say(said[0])
    resource.prlimit(processes.pid("robot"), resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    say(said[1])
    say(said[2])
    outside.until(lambda: outside.diagnostics["storage"].level == DiagnosticStatus.ERROR, "an error of the storage")
    assert outside.dialogue() == said[:3]
    resource.prlimit(processes.pid("robot"), resource.RLIMIT_FSIZE, NO_LIMIT)
    say(said[3])
    outside.until(lambda: outside.diagnostics["storage"].level == DiagnosticStatus.OK, "the storage to be well")
    processes.kill("robot")
    processes.wait("robot", START_S)
    archive = DialogueArchive(DialogueStore(1, 16), Storage(folder))
    assert [turn.text for turn in archive.turns("default")] == said
    archive.close()


@pytest.mark.fault(
    "a store that may not be written",
    "dialogues are kept in memory; ERROR on `/diagnostics` and in the log, naming the parameter",
)
def test_a_store_that_may_not_be_written(host: Any) -> None:
    with host(storage_dir="/sys/pixelrs", store_dialogues=True) as (_, caller):
        shown = caller.show()
        assert caller.say("mask", stamp_ns=caller.stamp_of(shown)).status == Segmentation.GROUNDED
        assert caller.dialogue() == ["mask"]
        caller.until(lambda: caller.diagnostics["storage"].level == DiagnosticStatus.ERROR, "an error of the storage")
        assert "'storage_dir'" in caller.diagnostics["storage"].message
