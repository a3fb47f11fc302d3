"""From nothing to a network within a given number of minutes of one GPU.

First all cores draw scenes, as many as there is time for: while they draw, one GPU learns four times more slowly. Then
the eyes and the words, which do not need one another, learn side by side; then everything learns together until the
clock says that it is time to write the result.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from rich.console import Console

from pixelrs_ros.errors import DataError
from pixelrs_ros.settings import load_config
from pixelrs_ros.training.config import TrainConfig
from pixelrs_ros.training.simulated.bank import SHARD

# Shares of the whole time.
DRAW, APART, RESERVE = 0.18, 0.21, 0.03
PIECE_BYTES = 15_000_000
MAX_PIECES = 8


class Plan:
    """A run by the clock.

    Args:
        config_path: YAML of the run.
        minutes: For all of it.
        train: Runs phases of it: `run.train`.
    """

    def __init__(self, config_path: Path, minutes: float, train: Callable[..., None]) -> None:
        config = load_config(TrainConfig, config_path)
        self._config_path, self._config, self._train = config_path, config, train
        self._minutes = minutes
        self._ends = time.monotonic() + 60 * minutes
        self._console = Console(stderr=True)
        self._logs = Path(config.out)

    def run(self) -> None:
        """Everything, to the checkpoint.

        Raises:
            DataError: A phase or the drawing failed; its log is named.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        self._draw()
        before: tuple[str, ...] = ()
        if self._config.start is None:
            apart = APART * self._minutes
            self._finish(*(self._start(name, apart) for name in ("see", "talk")))
            before = ("connect",)
        elif self._config.fresh:
            before = ("imitate",)
        left = (self._ends - time.monotonic()) / 60
        self._finish(self._start("ground", max(left - RESERVE * self._minutes, 0.05), before))
        self._console.print(f"{self._clock()} done")

    def _draw(self) -> None:
        """Draws until its share of the time is over, but no less than the first scenes of each split."""
        drawing = self._start("draw", 0.0)
        until = time.monotonic() + DRAW * 60 * self._minutes
        while drawing.is_alive() and (time.monotonic() < until or not self._has_scenes()):
            time.sleep(0.2)
        if drawing.is_alive():
            _kill(drawing)  # its workers, too; a shard appears whole or not at all
        else:
            self._finish(drawing)

    def _has_scenes(self) -> bool:
        """Whether the first training shards and all of the val split's are there."""
        wanted = {"train": min(self._config.scenes, 4 * SHARD), "val": self._config.val_scenes}
        folder = Path(self._config.bank)
        return all(len(list((folder / split).glob("?????.npz"))) * SHARD >= count for split, count in wanted.items())

    def _start(self, phase: str, minutes: float, before: tuple[str, ...] = ()) -> BaseProcess:
        self._console.print(f"{self._clock()} {phase}" + (f", {minutes:.1f} min" if minutes else ""))
        ends = time.time() + 60 * minutes if minutes else None
        process = multiprocessing.get_context("spawn").Process(
            target=_run, args=(self._log(phase), ends, self._train, self._config_path, (*before, phase)), name=phase
        )
        process.start()
        return process

    def _finish(self, *started: BaseProcess) -> None:
        try:
            for process in started:
                process.join()
                if process.exitcode:
                    said = self._log(process.name).read_text(encoding="utf-8", errors="replace")
                    raise DataError(f"{process.name} failed:\n{said[-2000:]}")
        finally:
            for process in started:  # those beside one that failed, and all where this process is interrupted
                if process.is_alive():
                    _kill(process)

    def _log(self, phase: str) -> Path:
        return self._logs / f"{phase}.txt"

    def _clock(self) -> str:
        left = max(0.0, self._ends - time.monotonic())
        return f"[{left / 60:4.1f} min left]"


def _run(log: Path, ends: float | None, train: Callable[..., None], config_path: Path, phases: tuple[str, ...]) -> None:
    """Trains in this process, which is one of its own, until a time of day; what it says goes into a file."""
    os.setsid()
    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    train(config_path, phases, minutes=ends and max((ends - time.time()) / 60, 0.01))


def _kill(process: BaseProcess) -> None:
    """Ends a process and those that it has started."""
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):  # it has not become a group's leader yet
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def cut(file: Path, folder: Path) -> list[Path]:
    """A file as pieces that can be carried one by one; `cat` joins them.

    Raises:
        DataError: There would be too many.
    """
    content = file.read_bytes()
    pieces = [content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES)]
    if len(pieces) > MAX_PIECES:
        raise DataError(f"{file} makes {len(pieces)} pieces of {PIECE_BYTES} bytes, at most {MAX_PIECES} are wanted")
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / f"{file.name}.{index}" for index in range(len(pieces))]
    for path, piece in zip(written, pieces, strict=True):
        path.write_bytes(piece)
    return written
