"""What the tools around the code rely on: marked tests exist, workflows and hooks fit the pinned versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from slow import SLOW

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", SLOW)
def test_what_is_called_slow_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    path = ROOT / "test" / file
    assert path.exists()
    assert not test or f"def {test.partition('[')[0]}" in path.read_text(encoding="utf-8")


def test_the_oldest_python_that_is_served_is_the_one_that_is_checked() -> None:
    told = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest = re.search(r'python_requires=">=(3\.\d+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert oldest is not None
    assert f'python_version = "{oldest[1]}"' in told and f'target-version = "py{oldest[1].replace(".", "")}"' in told


def test_the_hooks_run_the_pinned_ruff() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (revision,) = [repo["rev"] for repo in hooks if repo["repo"].endswith("ruff-pre-commit")]
    assert f"ruff=={revision.removeprefix('v')}\n" in (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")


def test_the_workflow_runs_what_anybody_may_run_and_names_files_that_exist() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert any(step.get("run") == ".ci/run" for step in jobs["check"]["steps"])
    assert jobs["ros"]["strategy"]["matrix"]["distro"] == ["jazzy", "humble"]
    named = re.findall(r"\btest/[\w/.]+", text)
    assert named and all((ROOT / name).exists() for name in named)
