"""REFER's list of referring expressions (RefCOCO, RefCOCO+, RefCOCOg, gRefCOCO), pickled or as JSON."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from pixelrs_ros.data.examples import plain
from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.errors import DataError
from pixelrs_ros.settings import first_problem

_Id = int | str


class _Sentence(BaseModel):
    sent: Annotated[str, Field(pattern=r"\S")]


class _Ref(BaseModel):
    image_id: _Id
    ann_id: _Id | list[_Id]
    split: Annotated[str, Field(min_length=1)]
    sentences: Annotated[list[_Sentence], Field(min_length=1)]


@dataclass(frozen=True)
class Reference:
    """What REFER's list says of something in a picture.

    Attributes:
        split: Which part of the list it belongs to.
        image_id: The picture.
        ann_ids: The annotations that are meant; none where nothing in the picture is.
        sayings: What it is called, each not empty.
    """

    split: str
    image_id: Any
    ann_ids: tuple[Any, ...]
    sayings: tuple[str, ...]


def to_reference(ref: Any) -> Reference:
    """An entry of REFER's list.

    Raises:
        DataError: It is malformed; the message says how.
    """
    try:
        _Ref.model_validate(ref)
    except ValidationError as error:
        raise DataError(first_problem(error)) from error
    ids = ref["ann_id"] if isinstance(ref["ann_id"], list) else [ref["ann_id"]]
    sayings = tuple(plain(sentence["sent"]) for sentence in ref["sentences"])
    meant = tuple(each for each in ids if each != -1)  # -1: nothing is
    return Reference(ref["split"], ref["image_id"], meant, sayings)


# What a pickle that is damaged, or made to do harm, may end in (the documentation of `pickle` names more by example).
_UNREADABLE = (
    OSError, pickle.UnpicklingError, EOFError, ValueError, LookupError, AttributeError, TypeError, ImportError,
    ArithmeticError, MemoryError,
)  # fmt: skip


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, texts and numbers, and refuses anything that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it holds a {module}.{name}, not plain lists and dictionaries only")


def read_refs(path: Path) -> list[dict[str, Any]]:
    """REFER's list of references, as it is pickled or as JSON.

    A pickle that holds anything but lists, dictionaries, texts and numbers is refused: nothing in it is ever run.

    Raises:
        DataError: It cannot be read, or is no such list.
    """
    if path.suffix == ".json":
        refs = load_json(path)
    else:
        try:
            with path.open("rb") as file:
                refs = _PlainUnpickler(file, encoding="latin-1").load()  # written by Python 2
        except _UNREADABLE as error:
            raise DataError(f"{path} cannot be read: {error}") from error
    if not isinstance(refs, list):
        raise DataError(f"{path}: expected a list of references, got {type(refs).__name__}")
    return refs
