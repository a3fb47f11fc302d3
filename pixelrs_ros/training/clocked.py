"""From nothing to a network within a given number of minutes of one GPU.

Scenes are drawn by all cores all the time; the eyes and the words, which do not need one another, learn side by side on
the first of them; then everything learns together until the clock says that it is time to write the result.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from pixelrs_ros.errors import DataError
from pixelrs_ros.training.bank import SHARD
from pixelrs_ros.training.config import TrainConfig

# Shares of the whole time.
APART, CONNECT, RESERVE = 0.25, 0.02, 0.05
_FIRST_SCENES = 2000  # drawn before anything is learned
PIECE_BYTES = 15_000_000
MAX_PIECES = 8


class Plan:
    """A run by the clock.

    Args:
        config_path: YAML of the run.
        config: What it holds.
        minutes: For all of it.
    """

    def __init__(self, config_path: Path, config: TrainConfig, minutes: float) -> None:
        self._config_path, self._config = config_path, config
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
        drawing = self._start("draw", 0.0)
        try:
            self._await_scenes(drawing)
            apart = APART * self._minutes
            self._finish(*(self._start(name, apart) for name in ("see", "talk")))
            self._finish(self._start("connect", CONNECT * self._minutes))
            left = (self._ends - time.monotonic()) / 60
            self._finish(self._start("ground", max(left - RESERVE * self._minutes, 0.05)))
        finally:
            drawing[1].terminate()

    def _start(self, phase: str, minutes: float) -> tuple[str, subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "pixelrs_ros.cli", "train", "--config", str(self._config_path), "--phase", phase]
        command = [*command, "--minutes", f"{minutes:.4f}"] if minutes else ["nice", "-n", "10", *command]
        self._console.print(f"{self._clock()} {phase}" + (f", {minutes:.1f} min" if minutes else ""))
        with (self._logs / f"{phase}.txt").open("wb") as log:
            return phase, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _finish(self, *started: tuple[str, subprocess.Popen[bytes]]) -> None:
        for phase, process in started:
            if process.wait():
                for _, other in started:
                    other.kill()
                log = self._logs / f"{phase}.txt"
                raise DataError(f"{phase} failed:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")

    def _await_scenes(self, drawing: tuple[str, subprocess.Popen[bytes]]) -> None:
        wanted = {"val": self._config.val_scenes, "train": min(_FIRST_SCENES, self._config.scenes)}
        folder = Path(self._config.bank)
        while any(len(list((folder / split).glob("?????.npz"))) * SHARD < count for split, count in wanted.items()):
            if drawing[1].poll() is not None:
                self._finish(drawing)
                return
            time.sleep(0.5)

    def _clock(self) -> str:
        left = max(0.0, self._ends - time.monotonic())
        return f"[{left / 60:4.1f} min left]"


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
