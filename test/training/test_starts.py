"""Where the training configurations begin that go on from a network."""

from pathlib import Path

import pytest
import yaml

from pixelrs_ros.shipped import resolve

CONFIGURATIONS = Path(__file__).parents[2] / "config" / "training"
ASSEMBLED = "checkpoints/"  # what `pixelrs assemble` has written where the training is begun


def test_the_shipped_network_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in CONFIGURATIONS.glob("*.yaml")]
    starts = [content["start"] for content in contents if "start" in content]
    monkeypatch.chdir(tmp_path)
    shipped = [start for start in starts if not start.startswith(ASSEMBLED)]
    assert len(shipped) >= 2
    for start in shipped:
        assert (resolve(start) / "config.yaml").is_file(), start
