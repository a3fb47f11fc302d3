"""The one way to write files and folders: whole or not at all, checked, and with the reason where it fails."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pixelrs_ros.errors import DataError, OutputError

if TYPE_CHECKING:
    import numpy as np

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # modes: for their owner's eyes only


def write_file(path: Path, content: bytes | str, *, private: bool = False) -> None:
    """Write a file, so that under its name there is either all of the content or what was there before.

    A link is followed; a device or a pipe, such as /dev/stdout, is written to as it is.

    Args:
        path: The file's path; its folder is made if missing.
        content: Text is written as UTF-8.
        private: Whether only the owner may read it (0600), and the folders that had to be made (0700), whatever the
            umask; else the umask decides.

    Raises:
        OutputError: It cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    with _explained(path):
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "there is a folder of this name")
        make_folder(target.parent, private=private)
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                file.write(data)
            return
        # Unless it is to be private, what is there keeps its mode.
        with _replacing(target, PRIVATE_FILE if private else _mode_of(target)) as file:
            file.write(data)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[IO[str]]:
    """A file to write UTF-8 text to piece by piece, for what is too long for `write_file`; whole or not at all.

    Args:
        path: As in `write_file`. What is there keeps its name until the end.

    Raises:
        OutputError: It cannot be written.
    """
    with _explained(path):
        target = Path(os.path.realpath(path))
        make_folder(target.parent)
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8") as device:
                yield device
            return
        with _replacing(target, _mode_of(target)) as file, io.TextIOWrapper(file, encoding="utf-8") as text:
            yield text


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write JSON with a new line at its end; arguments and errors as in `write_file`."""
    write_file(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture in the format that the path's ending names.

    Args:
        path: As in `write_file`.
        picture: (H, W, 3) uint8 RGB, or (H, W) uint8.

    Raises:
        OutputError: It cannot be written, or OpenCV cannot encode it.
    """
    import cv2  # here: `--help` shall not wait for it

    pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    try:
        encoded, data = cv2.imencode(path.suffix, pixels)
    except cv2.error as error:
        raise OutputError(errno.EINVAL, f"it cannot be encoded as {path.suffix!r}: {error.err}", str(path)) from error
    if not encoded:
        raise OutputError(errno.EINVAL, f"it cannot be encoded as {path.suffix!r}", str(path))
    write_file(path, data.tobytes())


def print_whatever_the_terminal_knows() -> None:
    """Let characters that the terminal's encoding lacks be written as escapes instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def make_folder(path: Path, *, private: bool = False) -> None:
    """Make a folder and what is missing above it; one that is there stays as it is.

    Args:
        path: The folder's path.
        private: Whether only the owner may enter those that are made (0700), whatever the umask.

    Raises:
        OutputError: It cannot be made, or something else has its name.
    """
    with _explained(path):
        missing = []
        folder = path
        while not folder.is_dir():
            if os.path.lexists(folder):
                raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(folder))
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):  # another process was quicker
                folder.mkdir(PRIVATE_FOLDER if private else 0o777)
                if private:
                    folder.chmod(PRIVATE_FOLDER)


def require_own_folder(path: Path) -> None:
    """Refuse a folder in which everybody may put files: what is read there need not be what was written there.

    Raises:
        OutputError: It is one, or cannot be looked at.
    """
    with _explained(path):
        mode = path.stat().st_mode
        if mode & stat.S_IWOTH:
            raise PermissionError(
                errno.EPERM,
                f"everybody may write there (mode {stat.S_IMODE(mode):04o}), so that what is read might not be what "
                f"was written; remedy: chmod o-w {path}, or another folder",
            )


def require_writable(path: Path) -> None:
    """Find out, before work that takes long, whether `write_file` will be able to write there; makes the folder.

    Raises:
        OutputError: It will not.
    """
    with _explained(path):
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "there is a folder of this name")
        if target.exists() and not target.is_file():
            return
        require_writable_folder(target.parent)


def require_writable_folder(path: Path) -> None:
    """Make a folder if it is missing, and find out whether files can be made in it.

    Raises:
        OutputError: They cannot.
    """
    make_folder(path)
    with _explained(path), tempfile.TemporaryFile(dir=path) as file:
        file.write(b"\0")


@contextlib.contextmanager
def _replacing(target: Path, mode: int) -> Iterator[IO[bytes]]:
    """A file beside the target, which takes its place once it is whole and closed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".partial", dir=target.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            yield file
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _mode_of(path: Path) -> int:
    """That of the file which is there, else what the umask leaves."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        umask = os.umask(0)  # it can only be read by setting it
        os.umask(umask)
        return 0o666 & ~umask


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError:  # of what was to be written, not of the file
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        where = getattr(error, "filename", None)
        if where in {str(folder) for folder in (*path.parents, *path.absolute().parents)}:
            reason = f"{where}: {reason}"
        raise OutputError(getattr(error, "errno", None) or errno.EINVAL, reason, str(path)) from error
