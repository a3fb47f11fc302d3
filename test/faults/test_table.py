"""The documents count the faults that are tested here."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_documents_tell_what_is_tested() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "write_faults.py"), "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert checked.returncode == 0, f"run scripts/write_faults.py {checked.stderr}"
