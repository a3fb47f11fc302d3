"""Work beside the caller's: SAM's image encoder runs while the language model reads and answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch


def default_num_threads() -> int:
    """Half of the CPUs that this process may use, at least one: SAM's image encoder takes as many beside the words.

    With all of them for each of the two a turn of `nano` on two CPUs took half as long again (`pixelrs bench`).
    """
    return max(1, len(os.sched_getaffinity(0)) // 2)


def use_threads(num_threads: int) -> None:
    """Have torch compute with so many CPU threads in the calling thread, to which their number belongs."""
    if torch.get_num_threads() != num_threads:
        torch.set_num_threads(num_threads)


class _Made(NamedTuple):
    tensor: torch.Tensor
    ready: torch.cuda.Event | None


class Pending:
    """A tensor that is being computed."""

    def __init__(self, future: Future[_Made]) -> None:
        self._future = future

    def result(self) -> torch.Tensor:
        """The tensor, to be used by the calling thread; waits for it.

        Raises:
            Exception: What computing it raised.
        """
        tensor, ready = self._future.result()
        if ready is not None:
            stream = torch.cuda.current_stream(tensor.device)
            stream.wait_event(ready)
            tensor.record_stream(stream)  # else its memory could be given away while this stream still reads it
        return tensor


class Background:
    """One thread, on a GPU with a CUDA stream of its own, that computes tensors one after another.

    Args:
        device: Where the tensors are computed.
        num_threads: CPU threads of its operations.
    """

    def __init__(self, device: torch.device, num_threads: int) -> None:
        # torch counts threads per calling thread, once that thread has set its number.
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="pixelrs_sam", initializer=torch.set_num_threads, initargs=(num_threads,)
        )
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def submit(self, compute: Callable[[], torch.Tensor]) -> Pending:
        """Begin to compute a tensor; what `compute` reads must be in place already."""
        return Pending(self._pool.submit(self._run, compute))

    def _run(self, compute: Callable[[], torch.Tensor]) -> _Made:
        with torch.inference_mode():
            if self._stream is None:
                return _Made(compute(), None)
            with torch.cuda.stream(self._stream):
                tensor = compute()
                return _Made(tensor, self._stream.record_event())
