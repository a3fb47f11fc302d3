"""Work in other processes, and on two machines of which one dies: nothing is lost, and it is what one process does."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pieces import DEADLY, IMPOSSIBLE, doubled

from pixelrs_ros.cli import main
from pixelrs_ros.commands.evaluate import load_engine
from pixelrs_ros.data.generate import Made, generate
from pixelrs_ros.errors import ConfigError, DataError, PixelrsError
from pixelrs_ros.evaluation.evaluate import Job, evaluate
from pixelrs_ros.evaluation.play import HEADLINE
from pixelrs_ros.evaluation.records import Record
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.workers import Workers, spread

ray = pytest.importorskip("ray")
HEAD: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
# A second and a half to notice that a machine is gone.
NOTICED_SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}


def test_every_piece_is_done_once_and_read_as_it_is_needed() -> None:
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(20, 40):
            read.append(number)
            yield number

    results = spread(doubled, numbers(), Workers(2))
    first = next(results)
    assert len(read) <= 8, "four were under way, and no more than those are read anew"
    assert sorted([first, *results]) == [2 * number for number in range(20, 40)]


def test_what_goes_wrong_there_is_raised_here() -> None:
    with pytest.raises(DataError, match="thirteen cannot"):
        list(spread(doubled, [IMPOSSIBLE], Workers(2)))
    with pytest.raises(PixelrsError, match="a worker process died"):
        list(spread(doubled, [DEADLY], Workers(2)))
    with pytest.raises(ConfigError, match="at least one worker"):
        Workers(0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ray", "127.0.0.1:1"], "no Ray cluster answers at '127.0.0.1:1'"),
        (["--ray", "nonsense"], "no Ray cluster answers at 'nonsense'"),
        (["--ray", ""], "--ray needs an address"),
        (["--ray", "auto", "--workers", "2"], "give one"),
    ],
)
def test_a_cluster_that_is_not_there_is_told_at_once(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "--out", str(tmp_path), "--train", "1", *options]) == 1
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head and a second machine, both on this one; their processes find the package where this one does."""
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    folder = tempfile.mkdtemp(prefix="ray")  # short: it holds sockets
    os.environ |= {
        "RAY_TMPDIR": folder,
        "RAY_AUTH_TOKEN": "of this test and of nobody else",
        "RAY_memory_monitor_refresh_ms": "0",  # the tests beside this one may fill the memory
        "PYTHONPATH": os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")]),
        "RAY_USAGE_STATS_ENABLED": "0",
        "OMP_NUM_THREADS": "1",
    }
    cluster = Cluster(initialize_head=True, head_node_args={**HEAD, "_system_config": NOTICED_SOON})
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    os.environ.clear()
    os.environ.update(before)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def second(cluster: Any) -> Iterator[Any]:
    """The second machine."""
    node = cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    cluster.wait_for_nodes()
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that one process has drawn."""
    folder = tmp_path_factory.mktemp("drawn")
    generate(folder, {"test": 5}, seed=11)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pictures_drawn_by_two_machines_of_which_one_dies_are_those_of_one_process(
    cluster: Any, second: Any, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Made.write, []

    def write_and_kill(made: Made) -> None:
        write(made)
        written.append(made.job.index)
        if len(written) == 2:
            cluster.remove_node(second, allow_graceful=False)

    monkeypatch.setattr(Made, "write", write_and_kill)
    generate(tmp_path, {"test": 5}, seed=11, workers=Workers(ray=cluster.address))
    assert sorted(written) == list(range(5))
    assert files(tmp_path) == files(drawn)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_dialogues_played_by_two_machines_of_which_one_dies_are_those_of_one_process(
    cluster: Any, second: Any, drawn: Path
) -> None:
    finished: list[int] = []

    def count_and_kill(done: int) -> None:
        finished.append(done)
        if len(finished) == 2:
            cluster.remove_node(second, allow_graceful=False)

    job, nano = Job(Samples.load(drawn, "test"), (HEADLINE,)), partial(load_engine, "nano", "cpu", 1)
    alone, expected = evaluate(job, nano)
    report, records = evaluate(job, nano, workers=Workers(ray=cluster.address), on_progress=count_and_kill)
    assert sum(finished) == 5
    assert [timeless(record) for record in records] == [timeless(record) for record in expected]
    for key in ("g_iou", "c_iou", "referent"):
        assert report["conditions"]["own history"].get(key) == alone["conditions"]["own history"].get(key)


def timeless(record: Record) -> Record:
    return dataclasses.replace(record, answer_s=(), encode_s=0.0)


def test_a_cluster_without_what_a_process_needs_is_told(cluster: Any) -> None:
    with pytest.raises(ConfigError, match=r"no machine of the cluster at .* has 1 CPU and 1 GPU"):
        list(spread(doubled, [1], Workers(ray=cluster.address, gpus=1)))
    with pytest.raises(DataError, match="thirteen cannot"):
        list(spread(doubled, [IMPOSSIBLE], Workers(ray=cluster.address)))
