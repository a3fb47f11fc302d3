"""`make setup` tells at once what it would fail at after minutes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "set_up.py"


@pytest.mark.parametrize("name", ["my robot", "büro", "a;b", "日本", 'a"b', "a$b"])
@pytest.mark.parametrize("locale", ["C.UTF-8", "POSIX"])
def test_a_path_that_cmake_stumbles_over_is_told_at_once(tmp_path: Path, name: str, locale: str) -> None:
    (tmp_path / name / "scripts").mkdir(parents=True)
    script = Path(shutil.copy(SCRIPT, tmp_path / name / "scripts"))
    found = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=30, env={**os.environ, "LC_ALL": locale}
    )
    assert found.returncode == 1 and not found.stdout
    assert "cannot be built under such a path" in found.stderr and "Traceback" not in found.stderr


def test_a_plain_path_is_none_of_its_business(set_up: ModuleType) -> None:
    set_up.check_place(Path("/home/me/ros2_ws/src/pixelrs-ros+1.0@x"))
