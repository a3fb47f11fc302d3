"""Finds utterances in a stream of sound: when somebody begins to speak, when they have ended, and what was cut off."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pixelrs_ros.speech.audio import RATE_HZ
from pixelrs_ros.speech.detector import WINDOW

WINDOW_NS = WINDOW * 1_000_000_000 // RATE_HZ
_NS_PER_S = 1_000_000_000
_KEPT_PRESSES = 8
_HYSTERESIS = 0.15  # by how much surer one must be that somebody speaks than that they still do


class Detector(Protocol):
    """Tells speech from other sounds, window after window."""

    def probability(self, window: np.ndarray) -> float:
        """How likely somebody speaks in the next (`WINDOW`,) float32 samples, in [0, 1]."""

    def reset(self) -> None:
        """What comes next does not follow on what came."""


@dataclass(frozen=True)
class Endpointing:
    """What counts as an utterance.

    Attributes:
        threshold: From which probability on a window is speech, in [0, 1].
        min_speech_s: Shorter sounds are no utterance.
        end_silence_s: After so much silence it has ended.
        release_silence_s: The same once the button has been released.
        lead_s: So much sound before its first speech belongs to it.
        max_speech_s: One that is longer is cut off.
        max_gap_s: So much sound may be missing between two pieces.
    """

    threshold: float = 0.5
    min_speech_s: float = 0.2
    end_silence_s: float = 0.7
    release_silence_s: float = 0.2
    lead_s: float = 0.3
    max_speech_s: float = 15.0
    max_gap_s: float = 0.2


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody has begun to speak, and has spoken for `min_speech_s`."""

    start_ns: int


@dataclass(frozen=True, eq=False)
class Utterance:
    """What somebody said in one go.

    Attributes:
        samples: (N,) float32 of 16 kHz, with some sound before and after.
        start_ns: When the speech began.
        end_ns: When it ended.
        found_ns: Up to when sound had to come until its end was certain.
        cut: Why it is not whole; empty when it is.
    """

    samples: np.ndarray
    start_ns: int
    end_ns: int
    found_ns: int
    cut: str = ""


Event = SpeechStarted | Utterance


@dataclass
class _Speech:
    """What is being said."""

    windows: list[np.ndarray]
    start_ns: int
    end_ns: int  # of the last window with speech
    num_spoken: int = 1  # windows
    announced: bool = False
    cut: str = ""


@dataclass
class _Press:
    """How long the button has been held; `until_ns` is None while it is."""

    since_ns: int
    until_ns: int | None = None

    def overlaps(self, start_ns: int, end_ns: int) -> bool:
        return self.since_ns <= end_ns and (self.until_ns is None or self.until_ns > start_ns)

    def covers(self, start_ns: int, end_ns: int) -> bool:
        return self.since_ns <= start_ns and (self.until_ns is None or self.until_ns >= end_ns)


class UtteranceFinder:
    """Finds utterances in sound that comes in pieces. Not to be used from two threads at once.

    Args:
        detector: Tells speech from other sounds.
        settings: What counts as an utterance.
        push_to_talk: Only what is said while the button is pressed counts.
    """

    def __init__(self, detector: Detector, settings: Endpointing, *, push_to_talk: bool = False) -> None:
        self._detector = detector
        self._settings = settings
        self._push_to_talk = push_to_talk
        self._left = np.zeros(0, np.float32)  # less than a window
        self._next_ns: int | None = None  # stamp of the sample after it; None: nothing has come yet
        lead = max(1, round(settings.lead_s * _NS_PER_S / WINDOW_NS))
        self._before: deque[np.ndarray] = deque(maxlen=lead)
        self._speech: _Speech | None = None
        self._deaf = ""  # why sound is missing right before what comes next
        self._presses: deque[_Press] = deque(maxlen=_KEPT_PRESSES)

    @property
    def is_pressed(self) -> bool:
        """Whether the button is pressed."""
        return bool(self._presses) and self._presses[-1].until_ns is None

    @property
    def hears_speech(self) -> bool:
        """Whether somebody is speaking, as far as sound has come."""
        return self._speech is not None

    def feed(self, samples: np.ndarray, stamp_ns: int) -> list[Event]:
        """Listen to the next piece.

        Args:
            samples: (N,) float32 of 16 kHz.
            stamp_ns: When the first of them was taken.

        Returns:
            What has begun and ended, in order.
        """
        events: list[Event] = []
        if self._next_ns is not None and abs(stamp_ns - self._next_ns) > self._settings.max_gap_s * _NS_PER_S:
            events += self.interrupt(f"{(stamp_ns - self._next_ns) / _NS_PER_S:.2f} s of sound are missing")
        if self._next_ns is None:
            self._next_ns = stamp_ns
        # Within the tolerance, the count of samples is the better clock: stamps come with the jitter of their delivery.
        window_ns = self._next_ns - len(self._left) * _NS_PER_S // RATE_HZ
        self._next_ns += len(samples) * _NS_PER_S // RATE_HZ
        sound = np.concatenate((self._left, samples))
        count = len(sound) // WINDOW
        self._left = sound[count * WINDOW :]
        for index in range(count):
            events += self._listen(sound[index * WINDOW : (index + 1) * WINDOW], window_ns + index * WINDOW_NS)
        return events

    def restart(self) -> None:
        """Forget what is being said: it is not meant."""
        self._speech = None
        self._before.clear()

    def interrupt(self, why: str) -> list[Event]:
        """Sound is missing between what came and what comes next; who is speaking is heard by half."""
        events: list[Event] = []
        if self._speech is not None:
            self._speech.cut = self._speech.cut or why
            events += self._end(self._speech.end_ns)
        self._detector.reset()
        self._before.clear()
        self._left = np.zeros(0, np.float32)
        self._next_ns = None
        self._deaf = why
        return events

    def run_dry(self) -> list[Event]:
        """No more sound comes. Who has released the button had ended; anybody else is heard by half."""
        return self.interrupt("" if self._push_to_talk and not self.is_pressed else "no more sound has come")

    def press(self, now_ns: int) -> None:
        """The button is pressed; said again while it is, as joysticks do, it changes nothing."""
        if not self.is_pressed:
            self._presses.append(_Press(now_ns))

    def release(self, now_ns: int) -> None:
        """The button is released."""
        if self.is_pressed:
            self._presses[-1].until_ns = now_ns

    def _listen(self, window: np.ndarray, start_ns: int) -> Iterator[Event]:
        speech, settings = self._speech, self._settings
        threshold = settings.threshold - (_HYSTERESIS if speech is not None else 0.0)
        spoken = self._detector.probability(window) >= threshold
        end_ns = start_ns + WINDOW_NS
        if speech is None:
            if spoken:
                self._speech = _Speech([*self._before, window], start_ns, end_ns, cut=self._deaf)
            self._deaf = ""
            self._before.append(window)
            return
        speech.windows.append(window)
        if spoken:
            speech.num_spoken += 1
            speech.end_ns = end_ns
        if not speech.announced and self._is_long_enough(speech) and self._is_meant(speech):
            speech.announced = True
            yield SpeechStarted(speech.start_ns)
        if end_ns - speech.start_ns > settings.max_speech_s * _NS_PER_S:
            speech.cut = speech.cut or f"it is longer than {settings.max_speech_s:g} s"
            yield from self._end(end_ns)
            self._deaf = "it goes on what was cut off"
        elif end_ns - speech.end_ns >= self._patience_ns(end_ns):
            yield from self._end(end_ns)

    def _end(self, found_ns: int) -> Iterator[Event]:
        speech = self._speech
        assert speech is not None
        self._speech = None
        self._before.clear()
        self._before.extend(speech.windows[-(self._before.maxlen or 1) :])
        if not self._is_long_enough(speech) or not self._is_meant(speech):
            return
        sound = np.concatenate(speech.windows)
        yield Utterance(sound, speech.start_ns, speech.end_ns, found_ns, speech.cut or self._cut_by_button(speech))

    def _is_long_enough(self, speech: _Speech) -> bool:
        return speech.num_spoken * WINDOW_NS >= self._settings.min_speech_s * _NS_PER_S

    def _is_meant(self, speech: _Speech) -> bool:
        """Whether the button was pressed while it was said."""
        return not self._push_to_talk or any(press.overlaps(speech.start_ns, speech.end_ns) for press in self._presses)

    def _cut_by_button(self, speech: _Speech) -> str:
        if not self._push_to_talk:
            return ""
        grace_ns = round(self._settings.lead_s * _NS_PER_S)
        start_ns, end_ns = speech.start_ns + grace_ns, speech.end_ns - grace_ns
        if any(press.covers(start_ns, end_ns) for press in self._presses):
            return ""
        first = next(press for press in self._presses if press.overlaps(speech.start_ns, speech.end_ns))
        if first.since_ns > start_ns:
            return "the button was pressed after it had begun"
        return "the button was released before it had ended"

    def _patience_ns(self, now_ns: int) -> int:
        """How much silence ends it."""
        settings = self._settings
        released_ns = self._presses[-1].until_ns if self._push_to_talk and self._presses else None
        released = released_ns is not None and released_ns <= now_ns
        return round((settings.release_silence_s if released else settings.end_silence_s) * _NS_PER_S)
