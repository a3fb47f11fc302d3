"""The packages of the extra `speech`, imported when they are needed: a robot that only reads does without them."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from pixelrs_ros.errors import ConfigError

_EXTRA = "pip install -r requirements/speech.txt"


def require(module: str, package: str = "", remedy: str = _EXTRA) -> ModuleType:
    """Import a module.

    Args:
        module: Its name.
        package: What it is called where it is installed from; empty: as the module.
        remedy: How to get it.

    Raises:
        ConfigError: It is not installed, or needs a library of the system that is not; the message says how to get it.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:  # OSError: sounddevice without PortAudio
        raise ConfigError(f"{package or module} cannot be used ({error}); remedy: {remedy}") from error


def folder_of(module: str, remedy: str) -> Path:
    """The folder of an installed package, which is not imported.

    Raises:
        ConfigError: It is not installed.
    """
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise ConfigError(f"{module} is not installed; remedy: {remedy}")
    return Path(found.submodule_search_locations[0])
