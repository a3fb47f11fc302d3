"""What the tests share that run the shipped checkpoint."""

from pathlib import Path

import pytest

import pixelrs_ros


@pytest.fixture(scope="session")
def shipped() -> str:
    """Name of the shipped checkpoint."""
    for package in pixelrs_ros.__path__:
        if (Path(package) / "checkpoints" / "nano").is_dir():
            return "nano"
    pytest.skip("no checkpoint is shipped")
