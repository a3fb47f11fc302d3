"""Work that falls into pieces, shared among processes: of this machine, or of the machines of a Ray cluster.

Results come as they are done, in any order. What is to be done is read as it is needed: a second piece for each process
waits, so that nobody does, and no more is held.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import multiprocessing
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pixelrs_ros.errors import ConfigError, PixelrsError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_LOCAL = "local"  # an address: a cluster of this machine alone, for as long as it is used
_PIECES_EACH = 2
_RETRIES = 10  # of a piece whose machine or process has died
_REACHABLE_WITHIN_S = 20.0
_PATIENCE_S = 60.0  # without any machine that could work


@dataclass(frozen=True)
class Workers:
    """Who works.

    Attributes:
        count: Processes of this machine, at least 1; without meaning where there is a cluster.
        ray: Address of a Ray cluster, as `ray.init` takes it; empty: there is none.
        cpus: CPUs of the cluster that each process needs.
        gpus: GPUs that each process needs.

    Raises:
        ConfigError: There is nobody.
    """

    count: int = 1
    ray: str = ""
    cpus: int = 1
    gpus: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigError(f"expected at least one worker, got {self.count}")


ALONE = Workers()  # this process


def spread(work: Callable[[ItemT], ResultT], items: Iterable[ItemT], workers: Workers) -> Iterator[ResultT]:
    """Do something with each of many things in other processes.

    A machine of a cluster that goes, or joins, on the way changes nothing but the time that it takes: what was lost
    with it is done again by the others.

    Args:
        work: Picklable; travels to every process once. The other machines need the same version of this package.
        items: Picklable, each.
        workers: The processes.

    Yields:
        What `work` returns, as it is done.

    Raises:
        ConfigError: There is no such cluster, it has not what a process needs, or Ray is not installed.
        PixelrsError: A process died; or what `work` raises.
    """
    yield from _on_cluster(work, items, workers) if workers.ray else _in_processes(work, items, workers.count)


def _in_processes(work: Callable[[ItemT], ResultT], items: Iterable[ItemT], count: int) -> Iterator[ResultT]:
    pending = iter(items)
    # Spawned: forked copies of torch's thread pool hang, and those of an OpenGL context do not work.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_take_up, initargs=(work,)) as pool:
        under_way = {pool.submit(_do, item) for item in islice(pending, _PIECES_EACH * count)}
        try:
            while under_way:
                finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                under_way |= {pool.submit(_do, item) for item in islice(pending, len(finished))}
                for future in finished:
                    yield future.result()
        except BrokenProcessPool as error:
            raise PixelrsError("a worker process died, perhaps for want of memory; use fewer --workers") from error
        finally:
            for future in under_way:
                future.cancel()


_work: Callable[[Any], Any] | None = None


def _take_up(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work


def _do(item: Any) -> Any:
    assert _work is not None
    return _work(item)


def _on_cluster(work: Callable[[ItemT], ResultT], items: Iterable[ItemT], workers: Workers) -> Iterator[ResultT]:
    with _cluster(workers) as ray:
        task = ray.remote(num_cpus=workers.cpus, num_gpus=workers.gpus, max_retries=_RETRIES)(_do_there)
        carried, pending = (code_version(), str(Path.cwd()), ray.put(work)), iter(items)
        under_way: list[Any] = []
        seen_s = time.monotonic()
        try:
            while True:
                places = _places(ray, workers)
                if places:
                    seen_s = time.monotonic()
                elif time.monotonic() - seen_s > _PATIENCE_S:
                    raise PixelrsError(f"the Ray cluster has lost every machine with {_needs(workers)}")
                room = max(0, _PIECES_EACH * places - len(under_way))
                under_way += [task.remote(*carried, item) for item in islice(pending, room)]
                if not under_way:
                    return
                finished, under_way = ray.wait(under_way, timeout=_PATIENCE_S / 4)
                for each in finished:
                    yield _result(ray, each)
        finally:
            for each in under_way:
                ray.cancel(each, force=True)


def _do_there(version: str, folder: str, work: Callable[[ItemT], ResultT], item: ItemT) -> ResultT:
    """One piece, in a process of the cluster; relative paths mean there what they mean here."""
    if version != code_version():
        raise ConfigError(f"{platform.node()} has another version of pixelrs_ros; remedy: install one on every machine")
    with contextlib.suppress(FileNotFoundError):  # whoever needs a file there says that it is missing
        os.chdir(folder)
    return work(item)


@cache
def code_version() -> str:
    """Tells this package's code from another version of it."""
    digest, package = hashlib.sha256(), Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:  # of a class made of Ray's and the cause's
        raise (error.cause if isinstance(error.cause, PixelrsError) else error) from None
    except ray.exceptions.RayError as error:
        raise PixelrsError(f"the Ray cluster gave no result: {_first_line(error)}") from error


def _places(ray: Any, workers: Workers) -> int:
    """How many pieces the machines that are there now can do at a time."""
    needs = {name: count for name, count in (("CPU", workers.cpus), ("GPU", workers.gpus)) if count}
    there = (node["Resources"] for node in ray.nodes() if node["Alive"])
    return sum(min(int(has.get(name, 0) // count) for name, count in needs.items()) for has in there)


def _needs(workers: Workers) -> str:
    return f"{workers.cpus} CPU" + (f" and {workers.gpus} GPU" if workers.gpus else "")


@contextlib.contextmanager
def _cluster(workers: Workers) -> Iterator[Any]:
    """Ray, connected."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
    except ImportError as error:
        raise ConfigError("--ray needs Ray, here and there; remedy: pip install -r requirements/ray.txt") from error
    if workers.ray != _LOCAL:
        _require_answer(workers.ray)
    own: dict[str, Any] = {"include_dashboard": False} if workers.ray == _LOCAL else {}
    try:
        ray.init(address=workers.ray, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise _no_cluster(workers.ray, _first_line(error)) from error
    try:
        if not _places(ray, workers):
            raise ConfigError(f"--ray: no machine of the cluster at {workers.ray!r} has {_needs(workers)}")
        yield ray
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Ask a cluster whether it is well, in a process that can be ended: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    given = [] if address == "auto" else ["--address", address]
    try:
        if colon and port.isdecimal():  # tells at once where nobody listens
            socket.create_connection((host.strip("[]"), int(port)), _REACHABLE_WITHIN_S).close()
        if address.startswith("ray://"):
            return  # of which the health is not asked so
        command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", *given]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_REACHABLE_WITHIN_S)
        if asked.returncode:
            raise _no_cluster(address, (asked.stderr.strip().splitlines() or ["it is not well"])[-1])
    except subprocess.TimeoutExpired as error:
        raise _no_cluster(address, f"nothing within {_REACHABLE_WITHIN_S:g} s") from error
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str, why: str) -> ConfigError:
    return ConfigError(
        f"--ray: no Ray cluster answers at {address!r}: {why}; remedy: `ray start --head` on one machine, and the "
        "address that it prints; or --ray local"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
