"""README.md says of the ROS interface what the code does."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_table_of_parameters_is_that_of_their_declarations() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_parameters.py"))
    found = script["TABLE"].findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found == [script["table"]()], "remedy: scripts/env.sh python scripts/write_parameters.py"
