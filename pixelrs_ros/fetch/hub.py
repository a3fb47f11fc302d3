"""From the Hugging Face hub to a folder: with progress, at a commit, going on where an earlier try was interrupted.

The library's own `snapshot_download` keeps whole files, but forgets the half of one when its process ends; these are of
up to 10 GB.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers

from pixelrs_ros.errors import FetchError
from pixelrs_ros.fetch.files import missing
from pixelrs_ros.published import File, Part

_LISTED = 4
_NO_HUB = "remedy: none here: what answers is not the hub, or our table is wrong"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def take_cached(part: Part, folder: Path) -> None:
    """Copy what is missing from the library's own cache, where another program fetched it at the same commit."""
    for name in missing(part, folder):
        cached = try_to_load_from_cache(part.repo, name, revision=part.revision) if part.revision else None
        if isinstance(cached, str):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cached, folder / name)


def download(part: Part, folder: Path) -> tuple[str, dict[str, str]]:
    """Fetch what is missing of a part.

    Args:
        part: What of which repository.
        folder: Made; what is there already stays.

    Returns:
        The commit that it is from, and the SHA-256 of the files of which the hub tells it, by name.

    Raises:
        FetchError: The hub refuses or cannot be reached, lacks a file, or the disk is full. What came stays there, and
            the next call goes on with it.
    """
    absent = missing(part, folder)
    if constants.is_offline_mode():
        raise FetchError(
            f"HF_HUB_OFFLINE is set, and {folder} lacks {_listed(absent)}; remedy: unset it, or copy the files of "
            f"{part.repo} there from a machine that has them"
        )
    try:
        told = HfApi().model_info(part.repo, revision=part.revision, files_metadata=True)
        commit = str(told.sha)
        if commit != (part.revision or commit):
            raise FetchError(f"{part.repo}: asked for {part.revision}, the hub tells of {commit}; {_NO_HUB}")
        wanted = [file for file in told.siblings or () if _is_wanted(part, file.rfilename)]
        for file in wanted:
            known = part.files.get(file.rfilename, File()).bytes
            if known is not None and file.size not in (None, known):
                sizes = f"{known:,} bytes in our table, {file.size:,} on the hub"
                raise FetchError(f"{file.rfilename} of {part.repo} has {sizes}; {_NO_HUB}")
        folder.mkdir(parents=True, exist_ok=True)
        for file in wanted:
            path = folder / file.rfilename
            if not path.is_file():
                _get(part.repo, commit, file, path)
    except FetchError:
        raise
    except Exception as error:  # of the hub's library, of the one that it talks HTTP with, of the disk
        raise FetchError(_explained(error, part, folder)) from error
    if absent := missing(part, folder):
        raise FetchError(
            f"{part.repo} at {commit} has no {_listed(absent)}; remedy: none here: it or our table is wrong"
        )
    return commit, {file.rfilename: file.lfs.sha256 for file in wanted if file.lfs}


def _is_wanted(part: Part, name: str) -> bool:
    """Whether a file belongs to the part: it lies beside the others, whatever a pattern would match."""
    return "/" not in name and any(fnmatch(name, pattern) for pattern in part.files)


def _get(repo: str, commit: str, file: RepoSibling, path: Path) -> None:
    """One file; the beginning of it stays beside its place until the rest has come."""
    version = file.lfs.sha256 if file.lfs else file.blob_id
    partial = path.with_name(f".{path.name}.{str(version)[:12]}.part")
    with partial.open("ab") as begun:
        http_get(
            hf_hub_url(repo, file.rfilename, revision=commit),
            begun,
            resume_size=begun.tell(),
            headers=build_hf_headers(library_name="pixelrs_ros"),
            expected_size=file.size,
            displayed_filename=f"{repo}/{path.name}",
        )
    partial.replace(path)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _explained(error: Exception, part: Part, folder: Path) -> str:
    """What went wrong, and what to do about it."""
    page = f"{constants.ENDPOINT}/{part.repo}"
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if isinstance(error, GatedRepoError) or (part.gated and status in (401, 403)):
        return (
            f"{part.repo} is gated: its owner must grant you access; remedy: ask for it at {page}, and once you have "
            "it, `hf auth login` or HF_TOKEN=… with a token of that account"
        )
    if isinstance(error, RepositoryNotFoundError):
        return f"there is no {page}, or it wants a token; remedy: look whether it has moved, or set HF_TOKEN"
    if isinstance(error, RevisionNotFoundError):
        return f"{page} has no commit {part.revision} any more; remedy: none here: it has changed"
    if status in (401, 403):
        return f"{page} is refused ({status}); remedy: `hf auth login`, or a right HF_TOKEN"
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return f"{folder} takes no more: {error.strerror}; remedy: make room and run it again, or --to another disk"
    reason = str(error).strip().splitlines()
    return (
        f"{part.repo} could not be fetched from {constants.ENDPOINT}: {type(error).__name__}: "
        f"{reason[0] if reason else 'no reason given'}; remedy: run it again; it goes on with what is in {folder}"
    )
