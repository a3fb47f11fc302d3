"""The options of both conversions: a base configuration, and single values of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pixelrs_ros.config import MirasConfig, load_preset
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.settings import from_mapping, load_config, load_yaml, to_mapping


def base_config(preset: str, path: Path | None) -> MirasConfig:
    """The configuration that tells what the parts do not.

    Raises:
        ConfigError: There is no such preset or file, or it is malformed.
    """
    return load_config(MirasConfig, path) if path else load_preset(preset)


def read_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Values by name, from "section.key=value" with the value as YAML.

    Raises:
        ConfigError: A setting is malformed; the message names it.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}: must be section.key=value")
        try:
            values[name] = load_yaml(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {setting}: the value is not YAML: {error}") from error
    return values


def override(config: MirasConfig, settings: Mapping[str, Any]) -> MirasConfig:
    """Set single values.

    Raises:
        ConfigError: A setting names no key or contradicts the rest; the message names it.
    """
    mapping = to_mapping(config)
    for name, value in settings.items():
        *sections, key = name.split(".")
        place: Any = mapping
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise ConfigError(f"--set {name}: there is no section {'.'.join(sections)}")
        place[key] = value
    try:
        return from_mapping(type(config), mapping)
    except ConfigError as error:
        raise ConfigError(f"--set: {error}") from error
