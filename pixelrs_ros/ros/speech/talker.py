"""Says answers aloud, one after another, in a thread of its own, until it is told to be silent."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.speech.audio import Pcm
from pixelrs_ros.speech.voice import Voice

_ECHO_S = 0.2  # what a room still repeats after the last word


class Talker:
    """Says texts in order.

    Args:
        voice: Turns them into sound.
        begin: Called in the thread with each sound when it begins.
        end: Called in the thread, or that of `hush`, when a sound is to end before its time.
        on_problem: Called in the thread with what could not be said.
    """

    def __init__(
        self,
        voice: Voice,
        begin: Callable[[Pcm], None],
        end: Callable[[], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self._voice = voice
        self._begin = begin
        self._end = end
        self._on_problem = on_problem
        self._texts: queue.Queue[tuple[int, str] | None] = queue.Queue()
        self._hushes = 0
        self._hushed = threading.Event()
        self._speaks_until_s = 0.0  # by time.monotonic()
        self._thread = threading.Thread(target=self._run, name="pixelrs_talker", daemon=True)
        self._thread.start()

    @property
    def is_speaking(self) -> bool:
        """Whether the robot can be heard, its echo included."""
        return time.monotonic() < self._speaks_until_s

    def say(self, text: str) -> None:
        """Say a text after those before it."""
        self._texts.put((self._hushes, text))

    def hush(self) -> None:
        """End what is being said, and say nothing of what waits."""
        self._hushes += 1
        self._hushed.set()

    def close(self) -> None:
        """Be silent for good."""
        self.hush()
        self._texts.put(None)
        self._thread.join(5.0)

    def _run(self) -> None:
        while (entry := self._texts.get()) is not None:
            hushes, text = entry
            self._hushed.clear()
            try:
                pcm = self._voice.say(text) if hushes == self._hushes else None
                if pcm is None or hushes != self._hushes:
                    continue
                self._speaks_until_s = time.monotonic() + pcm.seconds + _ECHO_S
                self._begin(pcm)
            except PixelrsError as error:
                self._speaks_until_s = 0.0
                self._on_problem(str(error))
                continue
            if self._hushed.wait(pcm.seconds):
                self._end()
                self._speaks_until_s = time.monotonic() + _ECHO_S
