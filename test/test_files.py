"""Files are whole or not there, and every failure names the file and the reason."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixelrs_ros import files
from pixelrs_ros.errors import OutputError


def test_a_file_is_written_with_its_folders_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    files.write_file(path, "grün")
    files.write_file(path, b"second")
    assert path.read_bytes() == b"second" and [one.name for one in path.parent.iterdir()] == ["c.txt"]
    files.write_json(path, {"ü": [1]})
    assert path.read_text(encoding="utf-8") == '{\n "ü": [\n  1\n ]\n}\n'


def test_a_link_is_followed_and_a_mode_is_kept(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    files.write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_not_replaced() -> None:
    files.write_file(Path("/dev/null"), "away")
    files.require_writable(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_what_is_private_is_so_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.write_file(tmp_path / "made" / "too" / "secret", b"x", private=True)
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in sorted((tmp_path / "made").rglob("*"))]
    assert modes == [0o700, 0o600] and (tmp_path / "made").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("folder", "there is a folder of this name"),
        ("file/below", "is not a folder"),
        ("x\0y", "null byte"),
        (f"{'n' * 300}", "File name too long"),
    ],
)
def test_what_cannot_be_written_is_said_with_the_reason(tmp_path: Path, place: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("here")
    for write in (lambda path: files.write_file(path, "x"), files.require_writable):
        with pytest.raises(OutputError) as caught:
            write(tmp_path / place)
        assert str(tmp_path / place) in str(caught.value) and why in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("path", ["/proc/x", "/proc/x/y", "/sys/x"])
def test_a_file_system_that_takes_no_files(path: str) -> None:
    for write in (lambda one: files.write_file(one, "x"), files.require_writable):
        with pytest.raises(OutputError, match=f"{path} cannot be written: "):
            write(Path(path))


def test_a_file_that_grows_too_large_leaves_the_old_one(tmp_path: Path, small_files: None) -> None:
    files.write_file(tmp_path / "a", "old")
    with pytest.raises(OutputError, match="a cannot be written: File too large"):
        files.write_file(tmp_path / "a", b"x" * 20_000)
    assert (tmp_path / "a").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_picture_is_encoded_as_its_ending_says(tmp_path: Path) -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 0] = 255
    files.write_picture(tmp_path / "a.png", picture)
    read = cv2.imread(str(tmp_path / "a.png"))
    assert read is not None and (read[..., ::-1] == picture).all()
    files.write_picture(tmp_path / "m.png", picture[..., 0])
    with pytest.raises(OutputError, match=r"cannot be encoded as '\.odd'"):
        files.write_picture(tmp_path / "a.odd", picture)
