"""What is said of JSON files that cannot be used."""

from pathlib import Path

import pytest

from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.errors import DataError


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), (b"{", "is not JSON: Expecting"), (b"\x81", "neither UTF-8 nor cp1252")],
)
def test_what_is_wrong_with_a_file_is_said_once(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        load_json(path)
    assert str(caught.value).count(str(path)) == 1
