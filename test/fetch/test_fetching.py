"""`pixelrs fetch` against a server of this machine, with tiny networks in the published formats, up to an answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from filelock import FileLock
from hub import COMMIT, STORE, Hub, point_at
from huggingface_hub import constants
from tiny_vlm import force

from pixelrs_ros.cli import main
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.engine.session import Session
from pixelrs_ros.engine.vlm.engine import VlmEngine
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.session_factory import open_session
from pixelrs_ros.shipped import fetched_dir, resolve
from pixelrs_ros.types import Frame, Status, Utterance

NAME = "tiny_sam2"
FETCH = ["fetch", NAME, "--accept-license"]
ANSWER = 'the mug.", "ask": false, "objects": [{"phrase": "the mug", "bbox_2d": [100, 100, 900, 900]}]}'


def answers(checkpoint: str | Path) -> None:
    """A turn, through everything that the node has behind its topics."""
    engine = open_answerer(checkpoint)
    assert isinstance(engine, VlmEngine) and engine.about == "nothing at all"
    force(engine, [ANSWER])
    picture = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    reply = Session(engine).say(Utterance("the mug"), Frame(picture))
    assert reply.status in (Status.GROUNDED, Status.NOT_FOUND)  # SAM's random weights may cut nothing
    assert reply.segments[0].mask.shape == (60, 90)


def run_apart(home: Path, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, after some code."""
    code = (
        "import pathlib, sys; from pixelrs_ros import cli, shipped; shipped.PUBLISHED = pathlib.Path(sys.argv[1]);"
        f"{before}; sys.exit(cli.main(sys.argv[2:]))"
    )
    environment = {**os.environ, "HF_ENDPOINT": constants.ENDPOINT, "HF_HOME": str(home / "hf")}
    command = [sys.executable, "-c", code, str(home / "published.yaml"), *FETCH]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def change(home: Path, role: str, **values: object) -> None:
    """Other values of a part in the table."""
    path = home / "published.yaml"
    table = yaml.safe_load(path.read_text())
    table["parts"][role] |= values
    path.write_text(yaml.safe_dump(table))


def test_what_was_fetched_is_found_by_its_name_and_answers(hub: Hub) -> None:
    with pytest.raises(CheckpointError, match=f"{NAME} has not been fetched.*remedy: pixelrs fetch {NAME}"):
        resolve(NAME)
    assert main(FETCH) == 0
    assert resolve(NAME) == fetched_dir(NAME)
    answers(NAME)
    record = json.loads((fetched_dir(NAME) / "fetched.json").read_text())
    assert record["name"] == NAME
    assert {role: part["commit"] for role, part in record["parts"].items()} == {"vlm": COMMIT, "sam": COMMIT}
    assert {name: file["compared"] for name, file in record["parts"]["vlm"]["files"].items()} == {
        "config.json": False, "preprocessor_config.json": False, "tokenizer.json": False, "model.safetensors": True,
    }  # fmt: skip


def test_the_nodes_parameter_takes_the_name(hub: Hub) -> None:
    values = NodeParameters(checkpoint=NAME, store_dialogues=False)
    with pytest.raises(CheckpointError, match=f"remedy: pixelrs fetch {NAME}"):
        open_session(values)
    assert main(FETCH) == 0
    session = open_session(values)
    assert isinstance(session, Session) and isinstance(session.engine, VlmEngine)


def test_what_is_whole_asks_nothing_of_the_network(hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FETCH, "--to", str(home / "mine")]) == 0
    hub.asked.clear()
    assert main([*FETCH, "--to", str(home / "mine")]) == 0
    assert "whole already" in capsys.readouterr().out
    assert not hub.asked
    answers(home / "mine")


def test_an_interrupted_download_goes_on_where_it_was(hub: Hub, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.cut.add("model.safetensors")
    assert main(FETCH) == 1
    assert "remedy: run it again; it goes on with what is in" in capsys.readouterr().err
    assert not (fetched_dir(NAME) / "config.yaml").exists()
    hub.cut.clear()
    hub.asked.clear()
    assert main(FETCH) == 0
    half = (tiny / "sam" / "model.safetensors").stat().st_size // 2
    begun = [int(given.removeprefix("bytes=").removesuffix("-")) for given in hub.ranges("model.safetensors") if given]
    assert begun and half - 4096 < begun[0] <= half
    answers(NAME)


def test_a_wrong_checksum_is_told_and_the_file_goes(
    hub: Hub, home: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled = home / "spoiled"
    shutil.copytree(tiny / "sam", spoiled)
    content = bytearray((spoiled / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (spoiled / "model.safetensors").write_bytes(content)
    right, hub.repos["tiny/sam"] = hub.repos["tiny/sam"], spoiled
    assert main(FETCH) == 1
    assert "model.safetensors has the SHA-256" in capsys.readouterr().err
    assert not (fetched_dir(NAME) / "sam" / "model.safetensors").exists()
    assert not (fetched_dir(NAME) / "config.yaml").exists()
    hub.repos["tiny/sam"] = right
    assert main(FETCH) == 0
    answers(NAME)


def test_a_wrong_file_that_was_there_before_stays_its_owners(
    hub: Hub, home: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny / "sam", home / "mine" / "sam")
    path = home / "mine" / "sam" / "model.safetensors"
    content = path.read_bytes()
    for spoiled, told in (
        (content[:-1] + bytes([content[-1] ^ 1]), "remove it, and run it again"),
        (content[:-1], "remedy: remove it, or --to another folder"),
    ):
        path.write_bytes(spoiled)
        assert main([*FETCH, "--to", str(home / "mine")]) == 1
        assert told in capsys.readouterr().err
        assert path.read_bytes() == spoiled


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository_says_what_to_do(
    status: int, hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(home, "sam", gated=True)
    hub.refused["tiny/sam"] = status
    assert main(FETCH) == 1
    told = capsys.readouterr().err
    assert "tiny/sam is gated" in told and "/tiny/sam" in told and "HF_TOKEN" in told
    hub.refused.clear()
    assert main(FETCH) == 0


def test_a_token_is_for_the_hub_alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert main(FETCH) == 0
    assert hub.tokens == {"127.0.0.1"}
    assert any(path.startswith(STORE) for path, _ in hub.asked)


def test_a_repository_that_is_not_there_is_told(hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(home, "sam", repo="tiny/gone")
    assert main(FETCH) == 1
    assert "there is no" in capsys.readouterr().err


def test_a_file_that_the_repository_lacks_is_told(hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(home, "sam", files={"config.json": {}, "other.json": {}})
    assert main(FETCH) == 1
    assert "has no other.json" in capsys.readouterr().err


def test_a_file_of_another_size_than_in_the_table_does_not_come(
    hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(home, "sam", files={"config.json": {"bytes": 7}, "model.safetensors": {}})
    for _ in range(2):
        assert main(FETCH) == 1
        told = capsys.readouterr().err
        assert "config.json of tiny/sam has 7 bytes in our table" in told and "remedy: none here" in told
    assert not hub.ranges("config.json")


def test_another_commit_than_the_one_that_was_asked_for_is_refused(
    hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(home, "sam", revision="2" * 40)
    assert main(FETCH) == 1
    assert f"asked for {'2' * 40}, the hub tells of {COMMIT}" in capsys.readouterr().err
    assert not hub.ranges("model.safetensors")


def test_names_that_lead_elsewhere_are_no_files_of_a_part(
    hub: Hub, home: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a mirror that answers whatever it likes; a pattern of the table matches a slash too."""
    change(home, "sam", files={"config.json": {}, "model*.safetensors": {}})
    shutil.copytree(tiny / "sam", home / "mirror")
    (home / "mirror" / "models").mkdir()
    shutil.copy(tiny / "sam" / "model.safetensors", home / "mirror" / "models")
    hub.repos["tiny/sam"] = home / "mirror"
    assert main(FETCH) == 0
    assert not any("/models/model" in path for path, _ in hub.asked)
    answers(NAME)


def test_one_at_a_time(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Two would write into one file."""
    fetched_dir(NAME).mkdir(parents=True)
    with FileLock(fetched_dir(NAME) / ".lock"):
        assert main(FETCH) == 1
    assert "another pixelrs fetch is at work in" in capsys.readouterr().err
    assert not hub.asked
    assert main(FETCH) == 0


@pytest.mark.parametrize("damage", ["{", "[]", '{"parts": []}', f'{{"name": "{NAME}", "parts": {{"sam": 3}}}}'])
def test_a_damaged_record_is_told_or_written_anew(hub: Hub, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(FETCH) == 0
    record = fetched_dir(NAME) / "fetched.json"
    whole = record.read_text()
    record.write_text(damage)
    (fetched_dir(NAME) / "sam" / "config.json").unlink()
    if NAME in damage:
        assert main(FETCH) == 0
        assert json.loads(record.read_text())["parts"]["sam"] == json.loads(whole)["parts"]["sam"]
    else:
        assert main(FETCH) == 1
        assert "fetched.json is damaged" in capsys.readouterr().err


def test_a_disk_that_gets_full_is_told_and_what_came_is_kept(hub: Hub, home: Path, tiny: Path) -> None:
    """A process of its own, in which no file may grow beyond half of the weights."""
    half = (tiny / "sam" / "model.safetensors").stat().st_size // 2
    ended = run_apart(home, f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({half}, {half}))")
    assert ended.returncode == 1
    assert "takes no more: File too large; remedy: make room and run it again, or --to another disk" in ended.stderr
    assert sum(path.stat().st_size for path in fetched_dir(NAME).rglob("*.part")) > 0
    assert main(FETCH) == 0
    answers(NAME)


def test_without_a_known_commit_the_newest_is_taken_and_recorded(
    hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(home, "sam", revision=None)
    assert main(FETCH) == 0
    assert "which commit was tested is not known" in capsys.readouterr().out
    sam = json.loads((fetched_dir(NAME) / "fetched.json").read_text())["parts"]["sam"]
    assert (sam["commit"], sam["pinned"]) == (COMMIT, None)


def test_another_checkpoint_is_not_taken_for_it(hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "config.yaml").write_text("kind: vlm\n")
    assert main([*FETCH, "--to", str(home / "mine")]) == 1
    assert "holds another checkpoint, or its fetched.json is damaged; remedy: another --to" in capsys.readouterr().err
    assert not hub.asked


def test_a_file_that_was_lost_since_comes_again(hub: Hub) -> None:
    assert main(FETCH) == 0
    record = (fetched_dir(NAME) / "fetched.json").read_text()
    (fetched_dir(NAME) / "sam" / "model.safetensors").unlink()
    assert main(FETCH) == 0
    assert (fetched_dir(NAME) / "fetched.json").read_text() == record
    answers(NAME)


def test_offline_takes_what_lies_there_and_else_says_what_is_missing(
    hub: Hub, home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert main([*FETCH, "--to", str(home / "mine")]) == 1
    told = capsys.readouterr().err
    assert "HF_HUB_OFFLINE is set" in told and "config.json" in told
    shutil.copytree(tiny / "vlm", home / "mine" / "vlm")
    shutil.copytree(tiny / "sam", home / "cache" / "models--tiny--sam" / "snapshots" / COMMIT)  # by another program
    assert main([*FETCH, "--to", str(home / "mine")]) == 0
    assert not hub.asked
    answers(home / "mine")


def test_no_network_says_that_it_can_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, "http://127.0.0.1:9")  # where nobody listens
    assert main(FETCH) == 1
    assert "could not be fetched from http://127.0.0.1:9" in capsys.readouterr().err


def test_a_disk_that_is_too_small_is_told_before(hub: Hub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(home, "sam", gb=1e9)
    assert main(FETCH) == 1
    assert "GB are needed" in capsys.readouterr().err
    assert not hub.asked


def test_the_environment_leads_to_another_hub(hub: Hub, home: Path) -> None:
    """As a process of its own, since the library reads the environment when it is imported."""
    ended = run_apart(home)
    assert ended.returncode == 0, ended.stderr
    assert {path.split("/resolve/")[0] for path, _ in hub.asked if "/resolve/" in path} == {
        "/tiny/vlm", "/tiny/sam",
    }  # fmt: skip
    assert (fetched_dir(NAME) / "config.yaml").is_file()
