"""Nested dataclasses from YAML files and back, checked by pydantic: the configurations of networks and of training."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from pixelrs_ros.errors import ConfigError

T = TypeVar("T")

_MERGE = "tag:yaml.org,2002:merge"
_UNKNOWN = "unexpected_keyword_argument"  # pydantic's kind of error for a key that no field has
# What pydantic's kinds of errors ask for, in the words of a YAML file.
_WANTED = {
    "int_type": "int", "float_type": "float", "bool_type": "bool", "string_type": "str", "tuple_type": "a list",
    "list_type": "a list", "dict_type": "a mapping", "dataclass_type": "a mapping", "model_type": "a mapping",
}  # fmt: skip


def from_mapping(cls: type[T], data: Any) -> T:
    """Build a dataclass from nested mappings, strictly: no number for a truth value, no text for a number.

    Args:
        cls: The dataclass.
        data: A mapping with exactly its fields; a field with a default may be left out.

    Raises:
        ConfigError: A key is unknown or missing, or a value is of the wrong type; the message names it.
    """
    try:
        # As JSON, in which a list is a tuple's only form and a whole number may stand for a float.
        adapter = _adapter(cls)  # type: ignore[arg-type]  # mypy does not know that classes are hashable
        return adapter.validate_json(json.dumps(data, default=str), strict=True, extra="forbid")
    except ValidationError as error:
        # A key that is mistyped is unknown and, under its right name, missing: the former helps.
        problem = min(error.errors(), key=lambda one: one["type"] != _UNKNOWN)
        raise ConfigError(_message(cls, problem)) from error


@functools.cache  # made once: that of a whole network takes 0.1 s
def _adapter(cls: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(cls)


def _message(cls: type, problem: Mapping[str, Any]) -> str:
    """A problem that pydantic found in a mapping, with its place."""
    kind, place = problem["type"], problem["loc"]
    name = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(map(str, place))) or cls.__name__
    if kind == _UNKNOWN:
        known = [field.name for field in dataclasses.fields(_dataclass_at(cls, place[:-1]))]
        likely = difflib.get_close_matches(str(place[-1]), known, n=1)
        meant = f"; did you mean {likely[0]}?" if likely else ""
        return f"unknown key {name}{meant}; known here: {', '.join(known)}"
    if kind == "missing":
        return f"missing key {name}"
    if kind == "value_error":  # what a dataclass itself refuses; it may not know where it stands
        reason = str(problem["ctx"]["error"])
        return reason if not place or reason.startswith(name) else f"{name}: {reason}"
    wanted = _WANTED.get(kind)
    got = type(problem["input"]).__name__ if wanted == "a mapping" else repr(problem["input"])
    return f"{name} must be {wanted}, got {got}" if wanted else f"{name}: {problem['msg']}, got {got}"


def first_problem(error: ValidationError) -> str:
    """What a model of pydantic refuses first, with its place and the value."""
    problem = error.errors()[0]
    place = ".".join(map(str, problem["loc"]))
    if problem["type"] == "missing":
        return f"missing key {place}"
    wanted = f"must be {_WANTED[problem['type']]}" if problem["type"] in _WANTED else problem["msg"]
    return f"{place}: {wanted}, got {problem['input']!r:.80}".removeprefix(": ")


def _dataclass_at(cls: type, place: Sequence[int | str]) -> Any:
    """The dataclass that a path through nested ones, their lists and mappings leads to."""
    hint: Any = cls
    for step in place:
        if dataclasses.is_dataclass(hint):
            hint = typing.get_type_hints(hint)[str(step)]
        hint = next((one for one in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(one)), hint)
    return hint


def to_mapping(config: Any) -> dict[str, Any]:
    """The inverse of `from_mapping`: plain dictionaries and lists that YAML can hold."""
    adapter = _adapter(type(config))  # type: ignore[arg-type]  # likewise
    return typing.cast(dict[str, Any], adapter.dump_python(config, mode="json"))


def replaced(mapping: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with other values for some keys; where both hold a mapping, its keys are replaced one by one."""
    nested = {
        key: replaced(mapping[key], value)
        for key, value in changes.items()
        if isinstance(value, Mapping) and isinstance(mapping.get(key), Mapping)
    }
    return {**mapping, **changes, **nested}


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; with the key `base`, a file relative to it, that one's with its own keys replaced.

    Raises:
        ConfigError: The file or its base is missing or is not YAML, or is its own base; the message names it.
    """
    return _read_yaml(path, ())


def _read_yaml(path: Path, above: tuple[Path, ...]) -> Any:
    content = _parse_yaml(path)
    if not isinstance(content, dict) or "base" not in content:
        return content
    base = path.parent / str(content.pop("base"))
    if base.resolve() in (above := (*above, path.resolve())):
        raise ConfigError(f"{path} is its own base")
    below = _read_yaml(base, above)
    if not isinstance(below, dict):
        raise ConfigError(f"{base} is no mapping, and cannot be the base of {path}")
    return replaced(below, content)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, of which YAML libraries take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != _MERGE]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    """What a YAML text says, made of plain types only.

    Raises:
        yaml.YAMLError: It is not YAML, or a key stands twice in a mapping.
    """
    return yaml.load(text, _Loader)


def _parse_yaml(path: Path) -> Any:
    try:
        return load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"no configuration file {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error


def load_config(cls: type[T] | Callable[[Any], type[T]], path: Path) -> T:
    """Read a dataclass from a YAML file; errors name the file and the key.

    Args:
        cls: The dataclass, or what chooses it by the file's content.
        path: The file.
    """
    try:
        content = read_yaml(path)
        return from_mapping(cls if isinstance(cls, type) else cls(content), content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
