"""Starts the package's nodes as processes of their own, and ends them. Imports no ROS."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

from pixelrs_ros import files

# 101 is the highest domain whose ports stay clear of those that Linux hands out by itself (docs.ros.org, "The
# ROS_DOMAIN_ID").
_DOMAINS = range(1, 102)
_TAIL_LINES = 15
# A turn that is being computed may have to end first.
_STOP_TIMEOUT_S = 25.0


def isolate() -> None:
    """Keep this process and its children apart from other ROS 2 graphs, where the user has not decided otherwise."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().choice(_DOMAINS)))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")


def exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind this process as an exit does, so that it ends its children."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


class Processes:
    """Nodes run as `python -m`; a context manager that ends them.

    Args:
        log_dir: Each one's output goes to `<name>.log` there.

    Raises:
        OutputError: The folder cannot be made.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        files.make_folder(log_dir)

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, module: str, *ros_arguments: str) -> None:
        """Start a module of this package, with arguments that follow `--ros-args`.

        Raises:
            OutputError: Its log cannot be written.
        """
        files.require_writable(self._log_dir / f"{name}.log")
        command = [sys.executable, "-m", module]
        if ros_arguments:
            command += ["--ros-args", *ros_arguments]
        with (self._log_dir / f"{name}.log").open("wb") as log:
            # In a session of its own, so that Ctrl-C reaches it once, from `stop`, and not from the terminal as well.
            self._processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def pid(self, name: str) -> int:
        """Process id."""
        return self._processes[name].pid

    def exit_status(self, name: str) -> int | None:
        """Exit status, None while it runs."""
        return self._processes[name].poll()

    def ended(self) -> list[str]:
        """Names of those that have ended."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def wait(self, name: str, timeout_s: float) -> int | None:
        """Wait for one to end; its exit status, None when it still runs."""
        try:
            return self._processes[name].wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def log_tail(self, name: str) -> str:
        """The last lines that it wrote."""
        text = (self._log_dir / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def interrupt(self, name: str) -> None:
        """Send SIGINT to one that still runs."""
        if self._processes[name].poll() is None:
            self._processes[name].send_signal(signal.SIGINT)

    def kill(self, name: str) -> None:
        """Send SIGKILL to one, which cannot tidy up."""
        self._processes[name].kill()

    def stop(self) -> dict[str, int]:
        """End all that still run.

        Returns:
            Every exit status; that of one which had to be killed is negative.
        """
        running = [name for name, process in self._processes.items() if process.poll() is None]
        for name in running:
            self.interrupt(name)
        deadline_s = time.monotonic() + _STOP_TIMEOUT_S
        for name in running:
            if self.wait(name, max(0.1, deadline_s - time.monotonic())) is None:
                self._processes[name].kill()
        return {name: process.wait() for name, process in self._processes.items()}
