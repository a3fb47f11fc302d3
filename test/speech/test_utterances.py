"""Where utterances begin and end in real speech, and which are not whole."""

from __future__ import annotations

import numpy as np
import pytest
from sounds import NS_PER_S, needs_espeak, pause, pieces, said

from pixelrs_ros.speech.detector import SileroDetector
from pixelrs_ros.speech.utterances import Endpointing, Event, SpeechStarted, Utterance, UtteranceFinder

pytestmark = needs_espeak
RED_MUG = "Give me the red mug."
START_NS = 1_700_000_000 * NS_PER_S


@pytest.fixture(scope="module")
def detector() -> SileroDetector:
    return SileroDetector()


def hear(finder: UtteranceFinder, *sounds: np.ndarray, start_ns: int = START_NS) -> list[Event]:
    return [event for piece, at_ns in pieces(np.concatenate(sounds), start_ns) for event in finder.feed(piece, at_ns)]


def finder_of(detector: SileroDetector, *, push_to_talk: bool = False, **settings: float) -> UtteranceFinder:
    detector.reset()
    return UtteranceFinder(detector, Endpointing(**settings), push_to_talk=push_to_talk)


def test_begin_and_end_are_those_of_the_speech(detector: SileroDetector) -> None:
    words = said(RED_MUG)
    started, utterance = hear(finder_of(detector), pause(0.5), words, pause(1.5))
    assert isinstance(started, SpeechStarted) and isinstance(utterance, Utterance)
    assert started.start_ns == utterance.start_ns
    assert abs(utterance.start_ns - START_NS - 0.5 * NS_PER_S) < 0.15 * NS_PER_S
    end_ns = START_NS + NS_PER_S // 2 + len(words) * NS_PER_S // 16_000
    assert abs(utterance.end_ns - end_ns) < 0.25 * NS_PER_S
    assert 0.6 * NS_PER_S < utterance.found_ns - utterance.end_ns < 0.8 * NS_PER_S
    assert utterance.cut == ""
    assert len(utterance.samples) > len(words)


def test_two_sentences_with_a_pause_between_them_are_two(detector: SileroDetector) -> None:
    events = hear(finder_of(detector), pause(0.5), said(RED_MUG), pause(1.2), said("By the handle."), pause(1.0))
    assert [type(event) for event in events] == [SpeechStarted, Utterance] * 2


def test_noise_and_clicks_are_no_speech(detector: SileroDetector) -> None:
    rng = np.random.default_rng(0)
    loud = rng.normal(0.0, 0.1, 32_000).astype(np.float32)
    clicks = np.zeros(32_000, np.float32)
    clicks[::4000] = 1.0
    assert hear(finder_of(detector), loud, clicks, pause(1.0)) == []


def test_what_is_too_long_is_cut_off_and_so_is_its_rest(detector: SileroDetector) -> None:
    words = said("Give me the red mug and the blue basket and the green lamp and the yellow bottle and the white book.")
    events = hear(finder_of(detector, max_speech_s=2.0), pause(0.5), words, pause(1.0))
    utterances = [event for event in events if isinstance(event, Utterance)]
    assert len(utterances) > 1
    assert all(utterance.cut for utterance in utterances)


def test_jitter_of_the_stamps_loses_nothing_and_a_gap_does(detector: SileroDetector) -> None:
    sound = np.concatenate((pause(0.5), said(RED_MUG), pause(1.0)))
    for shift_ns, whole in ((NS_PER_S // 20, True), (NS_PER_S // 2, False)):
        finder, events = finder_of(detector), list[Event]()
        for number, (piece, at_ns) in enumerate(pieces(sound, START_NS)):
            events += finder.feed(piece, at_ns + shift_ns * (number > 18))  # in the middle of the words
        cuts = [event.cut for event in events if isinstance(event, Utterance)]
        assert (cuts == [""]) is whole
        assert whole or all("missing" in cut for cut in cuts)


@pytest.mark.parametrize(
    ("press_s", "release_s", "cut"),
    [
        (0.3, 2.5, [""]),
        (0.6, 2.5, [""]),  # begun with the first sound
        (1.2, 2.5, ["pressed after"]),
        (0.3, 0.9, ["released before"]),
        (3.0, 4.0, []),
    ],
)
@pytest.mark.parametrize("repeated", [False, True], ids=["once", "repeated"])  # as joysticks send their state
def test_the_button_says_what_is_meant(
    detector: SileroDetector, press_s: float, release_s: float, cut: list[str], repeated: bool
) -> None:
    finder = finder_of(detector, push_to_talk=True)
    events: list[Event] = []
    for piece, at_ns in pieces(np.concatenate((pause(0.5), said(RED_MUG), pause(3.0))), START_NS):
        at_s = (at_ns - START_NS) / NS_PER_S
        if press_s <= at_s < release_s and (repeated or not finder.is_pressed):
            finder.press(at_ns)
        if at_s >= release_s:
            finder.release(at_ns)
        events += finder.feed(piece, at_ns)
    utterances = [event for event in events if isinstance(event, Utterance)]
    assert len(utterances) == len(cut)
    assert all(part in one.cut and bool(part) == bool(one.cut) for part, one in zip(cut, utterances, strict=True))


def test_who_presses_again_at_once_is_still_heard(detector: SileroDetector) -> None:
    finder = finder_of(detector, push_to_talk=True)
    finder.press(START_NS)
    words = np.concatenate((pause(0.5), said(RED_MUG)))
    events = hear(finder, words)
    end_ns = START_NS + len(words) * NS_PER_S // 16_000
    finder.release(end_ns)
    finder.press(end_ns + NS_PER_S // 10)
    events += hear(finder, pause(1.0), start_ns=end_ns)
    assert [event.cut for event in events if isinstance(event, Utterance)] == [""]


@pytest.mark.parametrize("release", [False, True], ids=["no button", "released"])
def test_sound_that_stops_ends_what_was_being_said(detector: SileroDetector, release: bool) -> None:
    finder = finder_of(detector, push_to_talk=release)
    finder.press(START_NS)
    words = np.concatenate((pause(0.5), said(RED_MUG)))
    assert [type(event) for event in hear(finder, words)] == [SpeechStarted]
    finder.release(START_NS + len(words) * NS_PER_S // 16_000)
    (utterance,) = finder.run_dry()
    assert isinstance(utterance, Utterance)
    assert utterance.cut == ("" if release else "no more sound has come")
    assert not finder.hears_speech and finder.run_dry() == []
