"""A checkpoint from its parts: fetch what is missing, compare checksums, make the folder, record what it is made of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from pixelrs_ros.errors import FetchError
from pixelrs_ros.fetch.files import checksums, missing, noted, present
from pixelrs_ros.fetch.hub import download, take_cached
from pixelrs_ros.files import make_folder, write_file, write_json
from pixelrs_ros.published import File, Part, Weights
from pixelrs_ros.shipped import CONFIG

RECORD = "fetched.json"
_LOCK = ".lock"  # held by whoever fetches
_PARTS = "parts"  # of a checkpoint that is made of them; gone once it is made
_BASE = "miras-7b"  # the preset that tells what no published file tells

Say = Callable[[str], None]


def fetch(name: str, weights: Weights, folder: Path, say: Say) -> bool:
    """Fetch and make one checkpoint.

    Args:
        name: For the record.
        weights: What it is made of.
        folder: The checkpoint's, made; parts that lie there already are used.
        say: Told what happens, in one line each.

    Returns:
        False where it was whole already.

    Raises:
        FetchError: A part cannot be had, a checksum is wrong, the disk is too small, or the folder holds another
            checkpoint.
        CheckpointError: The parts do not make a checkpoint.
        OutputError: The folder cannot be written.
    """
    place = folder if weights.kind == "vlm" else folder / _PARTS
    absent = {role: missing(part, place / role) for role, part in weights.parts.items()}
    if (folder / CONFIG).is_file() and noted(folder / RECORD).get("name") != name:
        raise FetchError(
            f"{folder} holds another checkpoint, or its {RECORD} is damaged; remedy: another --to, or remove it"
        )
    if (folder / CONFIG).is_file() and not (weights.kind == "vlm" and any(absent.values())):
        return False
    make_folder(folder)
    try:
        with FileLock(folder / _LOCK, timeout=0):
            _require_room(
                weights, folder, [(part, place / role) for role, part in weights.parts.items() if absent[role]]
            )
            _make(name, weights, folder, place, say)
    except Timeout as error:
        raise FetchError(f"another pixelrs fetch is at work in {folder}; remedy: wait for its end") from error
    return True


def _make(name: str, weights: Weights, folder: Path, place: Path, say: Say) -> None:
    """Have all parts, and what is made of them; the errors are those of `fetch`."""
    parts = {role: known for role, known in noted(folder / RECORD, "parts").items() if isinstance(known, dict)}
    for role, part in weights.parts.items():
        parts[role] = _part(part, place / role, parts.get(role, {}).get("commit"), say)
        write_json(folder / RECORD, {"name": name, "license": weights.license, "parts": parts})
    if weights.kind == "lisa":
        _convert(weights, place, folder, say)
    elif not (folder / CONFIG).is_file():
        config = {"kind": "vlm", "language": "vlm", "sam": "sam", "about": weights.about}
        write_file(folder / CONFIG, yaml.safe_dump(config, sort_keys=False))


def _require_room(weights: Weights, folder: Path, absent: list[tuple[Part, Path]]) -> None:
    """Refuse before hours of fetching what will not fit.

    Args:
        weights: Where they are converted, that takes as much again.
        folder: On the disk in question.
        absent: Parts of which something is missing, and where they go; what lies there need not come again.

    Raises:
        FetchError: It will not fit.
    """
    gb = weights.gb if weights.kind == "lisa" else 0.0
    for part, place in absent:
        kept = sum(file.stat().st_size for file in place.rglob("*") if file.is_file()) / 1e9
        gb += max(0.0, part.gb - kept)
    free = shutil.disk_usage(folder).free / 1e9
    if gb > free:
        raise FetchError(f"{folder} has {free:.1f} GB free, {gb:.1f} GB are needed; remedy: --to another disk")


def _part(part: Part, folder: Path, commit: str | None, say: Say) -> dict[str, Any]:
    """Have one part in its folder.

    Args:
        part: Which.
        folder: Its own.
        commit: That it is from, where an earlier try has fetched it.
        say: Told what happens.

    Returns:
        For the record: where it is from, and its files.

    Raises:
        FetchError: It cannot be had, or a size or checksum is wrong.
    """
    before = set(present(part, folder))
    for path in before:
        size = part.files.get(path.name, File()).bytes
        if size not in (None, path.stat().st_size):  # none of ours: those get their names when they are whole
            raise FetchError(
                f"{path} has {path.stat().st_size:,} bytes, that of {part.repo} has {size:,}; remedy: remove it, or "
                "--to another folder"
            )
    take_cached(part, folder)
    expected: dict[str, str] = {}
    if missing(part, folder):
        if part.revision is None:
            say(f"{part.repo}: which commit was tested is not known; taking the newest")
        commit, expected = download(part, folder)
        say(f"{part.repo}: fetched at {commit}")
    else:
        say(f"{part.repo}: already on this machine")
    expected |= {name: file.sha256 for name, file in part.files.items() if file.sha256}
    sums = checksums(part, folder)
    for name in sums:
        if expected.get(name, sums[name]) != sums[name]:
            raise FetchError(_wrong(folder / name, sums[name], expected[name], is_ours=folder / name not in before))
    say(f"{part.repo}: {len(sums.keys() & expected)} of {len(sums)} checksums are known, and right")
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": value, "compared": name in expected}
        for name, value in sums.items()
    }
    return {"repo": part.repo, "commit": commit, "pinned": part.revision, "files": files}


def _wrong(path: Path, found: str, expected: str, *, is_ours: bool) -> str:
    """Remove a file with a wrong checksum, unless it was there before: then it is its owner's. Returns what to say."""
    if is_ours:
        path.unlink()
    remedy = "run it again" if is_ours else "remove it, and run it again"
    return (
        f"{path} has the SHA-256 {found} and should have {expected}; remedy: {remedy}; if it comes again, what "
        "answers there is not the hub, or something between changes it"
    )


def _convert(weights: Weights, parts: Path, folder: Path, say: Say) -> None:
    """Make a MIRAS checkpoint of parts, and remove them.

    Raises:
        CheckpointError: They do not make one.
    """
    from pixelrs_ros.config import load_preset
    from pixelrs_ros.convert.assembly import write
    from pixelrs_ros.convert.published import PublishedParts, import_published

    say("converting, as pixelrs import-checkpoint does")
    published = PublishedParts(parts / "model", parts / "clip")
    assembly = import_published(published, load_preset(_BASE), {"about": weights.about})
    for note in assembly.notes:
        say(note)
    write(assembly, folder, None)
    shutil.rmtree(parts)
