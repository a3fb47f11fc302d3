"""What goes from step to step: things with attributes, a tree of questions over them, and its paths; as files too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixelrs_ros.data.prist import PristTurn
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import write_file
from pixelrs_ros.settings import first_problem, load_yaml
from pixelrs_ros.sim.picture.elements import Element

Text = Annotated[str, Field(min_length=1)]
Attributes = Mapping[str, Sequence[str]]
S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class Thing:
    """What one label of a picture outlines.

    Attributes:
        label: As it is written in the annotation.
        element: Where it is, and of what kind and color the whole is, as far as the label says.
        part: Which part of the whole it is; None for all of it.
    """

    label: str
    element: Element
    part: str | None


@dataclass(frozen=True)
class Seen:
    """A picture and what is labeled in it.

    Attributes:
        img_id: File name of the picture.
        picture: The file.
        size_px: (height, width).
        things: What its labels outline, the first labeled first.
    """

    img_id: str
    picture: Path
    size_px: tuple[int, int]
    things: tuple[Thing, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Of all things."""
        return tuple(thing.label for thing in self.things)


class Node(BaseModel):
    """A question, and for each answer the label that it leaves, or what to ask next."""

    model_config = ConfigDict(extra="forbid")

    question: Text
    answers: Annotated[dict[Text, Node | Text], Field(min_length=1)]


class Tree(BaseModel):
    """The file of the second step: people may read and change it."""

    model_config = ConfigDict(extra="forbid")

    picture: Text
    tree: Node


class Elements(BaseModel):
    """The file of the first step: attributes by label."""

    model_config = ConfigDict(extra="forbid")

    picture: Text
    elements: dict[Text, list[Text]]


@dataclass(frozen=True)
class Way:
    """From the root to a leaf: the questions, each with its answer, and the label at the end."""

    steps: tuple[tuple[str, str], ...]
    label: str


class Builder(Protocol):
    """How the steps are done; each may raise AnswerError or EndpointError, which costs only what was asked for."""

    async def describe(self, seen: Seen) -> Attributes:
        """Attributes of every label."""

    async def split(self, seen: Seen, known: Attributes, things: Sequence[Thing]) -> tuple[str, dict[str, str]]:
        """A question that tells some things apart, and the answer for each label; not all are the same."""

    async def talk(self, seen: Seen, known: Attributes, path: Way) -> tuple[PristTurn, ...]:
        """A dialogue along a path, one turn more than it has questions; the last answer shows the label's mask."""


def paths(node: Node, before: tuple[tuple[str, str], ...] = ()) -> Iterator[Way]:
    """All ways from the root to a leaf."""
    for answer, then in node.answers.items():
        steps = (*before, (node.question, answer))
        if isinstance(then, Node):
            yield from paths(then, steps)
        else:
            yield Way(steps, then)


def read_step(path: Path, kind: type[S], img_id: str, labels: Collection[str]) -> S:
    """A file of the first or second step, which a person may have changed.

    Raises:
        DataError: It is malformed, of another picture, or names what is not labeled there; the message says what.
    """
    try:
        content: Any = load_yaml(path.read_text(encoding="utf-8"))
        step = kind.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        raise DataError(f"{path}: {first_problem(error)}; a yes or no wants quotation marks") from error
    if isinstance(step, Tree):
        named: Collection[str] = [each.label for each in paths(step.tree)]
        picture = step.picture
    else:
        assert isinstance(step, Elements)
        named, picture = step.elements, step.picture
    unknown = set(named) - set(labels)
    if picture != img_id or unknown:
        wrong = f"of {picture}" if picture != img_id else f"names {', '.join(sorted(unknown))}"
        raise DataError(f"{path}: {wrong}; expected {img_id} and of it {', '.join(labels)}")
    return step


def write_step(path: Path, step: Elements | Tree) -> None:
    """Write the file that `read_step` reads."""
    write_file(path, yaml.safe_dump(step.model_dump(), sort_keys=False, allow_unicode=True, width=110))
