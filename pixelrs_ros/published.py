"""Public weights by name: where their files are, under which license, what they need. Asks no network."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from pixelrs_ros import shipped
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.settings import load_config

_COMMIT, _SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """What is known of a file.

    Attributes:
        bytes: Its size; None: unknown.
        sha256: In hexadecimal digits; empty: unknown.
    """

    bytes: int | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.sha256 and not _SHA256.fullmatch(self.sha256):
            raise ConfigError(f"sha256 must be 64 hexadecimal digits, got {self.sha256!r}")


@dataclass(frozen=True)
class Part:
    """Files of one repository on the hub.

    Attributes:
        repo: Owner and name.
        revision: A commit; None: unknown, so the newest is taken.
        license: In few words, for tables.
        gb: Size of all files in 10⁹ bytes, roughly where their own sizes are unknown.
        files: What is needed, by name or pattern such as `model-*.safetensors`.
        gated: Whether its owner must have granted access.
    """

    repo: str
    revision: str | None
    license: str
    gb: float
    files: dict[str, File]
    gated: bool = False

    def __post_init__(self) -> None:
        if self.revision is not None and not _COMMIT.fullmatch(self.revision):
            raise ConfigError(f"revision must be a whole commit or null, got {self.revision!r}")


@dataclass(frozen=True)
class Memory:
    """What the weights need, computed and not measured.

    Attributes:
        parameters: Of all networks together.
        linear: How many of them are in linear layers of the language model, which int8 and int4 make smaller.
        cache_bytes_per_token: Keys and values of one token in bf16.
        context_tokens: Longest dialogue.
    """

    parameters: int
    linear: int
    cache_bytes_per_token: int
    context_tokens: int


@dataclass(frozen=True)
class Weights:
    """What one name is made of.

    Attributes:
        kind: "vlm": the parts `vlm` and `sam` lie in a checkpoint of kind vlm; "lisa": what `pixelrs import-checkpoint`
            does makes one from the parts `model` and `clip`.
        parts: By what they are in it, from the table's parts.
        license: One or two sentences, to be accepted.
        about: What it was trained on, for logs.
        memory: What it needs.
    """

    kind: Literal["vlm", "lisa"]
    parts: dict[str, Part]
    license: str
    about: str
    memory: Memory

    @property
    def gb(self) -> float:
        """What is fetched, in 10⁹ bytes."""
        return sum(part.gb for part in self.parts.values())

    @property
    def gated(self) -> bool:
        """Whether the owner of a part must have granted access."""
        return any(part.gated for part in self.parts.values())


@dataclass(frozen=True)
class _Named:
    """`Weights` as the file has them, the parts by name."""

    kind: Literal["vlm", "lisa"]
    parts: dict[str, str]
    license: str
    about: str
    memory: Memory


@dataclass(frozen=True)
class _Table:
    parts: dict[str, Part]
    weights: dict[str, _Named]


def published() -> dict[str, Weights]:
    """All of them by name.

    Raises:
        ConfigError: The table is malformed.
    """
    table = load_config(_Table, shipped.PUBLISHED)
    return {
        name: Weights(
            weights.kind,
            {role: table.parts[part] for role, part in weights.parts.items()},
            weights.license,
            weights.about,
            weights.memory,
        )
        for name, weights in table.weights.items()
    }


def find(name: str) -> Weights:
    """One of them.

    Raises:
        ConfigError: There is none of that name; the message names the likely ones, and all.
    """
    known = published()
    if name not in known:
        likely = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
        meant = f"; did you mean {' or '.join(likely)}?" if likely else ""
        raise ConfigError(f"no weights are known by the name {name!r}{meant}; known: {', '.join(known)}")
    return known[name]
