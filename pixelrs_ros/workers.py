"""Work that falls into pieces, shared among processes: of this machine, or of the machines of a Ray cluster.

Results come as they are done, in any order. What is to be done is read as it is needed: a second piece for each process
waits, so that nobody does, and no more is held.
"""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from pixelrs_ros.errors import ConfigError, PixelrsError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_PIECES_EACH = 2
_RETRIES = 10  # of a piece whose machine or process has died
_REACHABLE_WITHIN_S = 5.0


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
        carried, pending = ray.put(work), iter(items)
        under_way: list[Any] = []
        try:
            while True:
                room = _PIECES_EACH * _processes(ray, workers) - len(under_way)
                under_way += [task.remote(carried, item) for item in islice(pending, max(0, room))]
                if not under_way:
                    return
                finished, under_way = ray.wait(under_way)
                for each in finished:
                    try:
                        result = ray.get(each)
                    except ray.exceptions.RayTaskError as error:  # of a class of its own, made of the two
                        raise (error.cause if isinstance(error.cause, PixelrsError) else error) from None
                    except ray.exceptions.RayError as error:
                        raise PixelrsError(f"the Ray cluster gave no result: {_first_line(error)}") from error
                    yield result
        finally:
            for each in under_way:
                ray.cancel(each, force=True)


def _do_there(work: Callable[[ItemT], ResultT], item: ItemT) -> ResultT:
    return work(item)


def _processes(ray: Any, workers: Workers) -> int:
    """How many the cluster has room for now; at least one, which waits for what the cluster lacks."""
    there = ray.cluster_resources()
    by_gpus = math.inf if not workers.gpus else there.get("GPU", 0) // workers.gpus
    return max(1, int(min(there.get("CPU", 0) // workers.cpus, by_gpus)))


@contextlib.contextmanager
def _cluster(workers: Workers) -> Iterator[Any]:
    """Ray, connected."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
    except ImportError as error:
        raise ConfigError("--ray needs Ray, here and there; remedy: pip install -r requirements/ray.txt") from error
    _reach(workers.ray)
    try:
        ray.init(address=workers.ray, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise ConfigError(
            f"--ray: no Ray cluster answers at {workers.ray!r}: {_first_line(error)}; remedy: `ray start --head`, and "
            "the address that it prints"
        ) from error
    try:
        there = ray.cluster_resources()
        for name, needed in (("CPU", workers.cpus), ("GPU", workers.gpus)):
            if needed > max((node["Resources"].get(name, 0) for node in ray.nodes() if node["Alive"]), default=0):
                raise ConfigError(
                    f"--ray: no machine of the cluster has {needed} {name}; all together have {there.get(name, 0):g}"
                )
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Find out at once whether anybody listens: Ray itself would try for a long time."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), _REACHABLE_WITHIN_S).close()
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"--ray: nobody listens at {address}: {error}; remedy: `ray start --head` there"
            ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
