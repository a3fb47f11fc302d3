"""What the tests share that run the shipped checkpoint."""

import pytest

from pixelrs_ros.checkpoint import resolve


@pytest.fixture(scope="session")
def shipped() -> str:
    """Name of the shipped checkpoint; without it these tests fail, since without it the package is not whole."""
    resolve("nano")
    return "nano"
