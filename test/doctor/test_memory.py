from __future__ import annotations

from pathlib import Path

from pixelrs_ros.doctor.memory import free_memory


def test_free_memory_is_of_this_machine() -> None:
    total_kb = int(Path("/proc/meminfo").read_text().split()[1])
    assert 0 < free_memory("cpu") < total_kb * 1024
