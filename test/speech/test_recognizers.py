"""What is recognized, how surely, and what a recognizer says that cannot be opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import needs_espeak, pause, said

from pixelrs_ros.errors import BadInputError, ConfigError
from pixelrs_ros.sim.talk.voices import HELD_OUT, load_voice
from pixelrs_ros.speech.audio import RATE_HZ, Resampler, checked_pcm, to_pcm
from pixelrs_ros.speech.phrasings import pronounced, sentences, spoken_words
from pixelrs_ros.speech.recognizer import open_recognizer
from pixelrs_ros.speech.sphinx import Sphinx
from pixelrs_ros.speech.voice import EspeakVoice, open_voice
from pixelrs_ros.speech.wake import WakeWord, after_phrase


@pytest.fixture(scope="module")
def sphinx() -> Sphinx:
    return Sphinx(phrases=["hey robot"])


@needs_espeak
@pytest.mark.parametrize("text", ["Give me the red mug.", "Give me the blue bottle.", "Give me the white teapot."])
def test_orders_are_recognized_and_surer_than_what_is_not_ours(sphinx: Sphinx, text: str) -> None:
    heard = sphinx.recognize(np.concatenate((pause(0.3), said(text), pause(0.3))))
    assert heard.text == " ".join(spoken_words(text))
    strange = sphinx.recognize(np.concatenate((pause(0.3), said("Parliament adjourned on Wednesday."), pause(0.3))))
    assert strange.confidence < 0.5 < heard.confidence
    assert heard.text not in heard.alternatives and len(set(heard.alternatives)) == len(heard.alternatives) > 0


@needs_espeak
def test_a_sound_that_is_hardly_a_word_does_not_break_it() -> None:
    heard = Sphinx().recognize(
        np.concatenate((pause(0.3), said("Uh"), pause(0.7)))
    )  # among its guesses is one of no words
    assert heard.confidence < 0.5 and all(heard.alternatives)


@needs_espeak
@pytest.mark.parametrize("voice", ["en-us", "en-gb+f3"])
def test_a_wake_phrase_is_heard_alone_and_before_an_order_and_not_without_it(sphinx: Sphinx, voice: str) -> None:
    alone, before, without = (
        after_phrase(sphinx.recognize(np.concatenate((pause(0.3), said(text, voice), pause(0.7)))).text, "hey robot")
        for text in ("Hey robot.", "Hey robot, give me the red mug.", "Do you see the blue bottle?")
    )
    assert alone == "" and before is not None and before.endswith("red mug") and without is None


def test_nothing_is_recognized_in_nothing(sphinx: Sphinx) -> None:
    for sound in (np.zeros(0, np.float32), pause(1.0)):
        assert sphinx.recognize(sound).confidence <= 0.5


def test_the_language_is_made_of_the_trained_voices_and_not_of_the_tests() -> None:
    said_ones = sentences()
    assert said_ones == sentences() and len(said_ones) > 3000
    joined = "\n".join(said_ones)
    wishes = {" ".join(spoken_words(one)) for name in HELD_OUT for one in load_voice(name).phrasings["wish.drink"]}
    own = {" ".join(spoken_words(one)) for one in load_voice("cook").phrasings["wish.drink"]}
    assert all(one in joined for one in own)
    assert sum(one in joined for one in wishes) < len(wishes) / 2


def test_words_that_a_dictionary_lacks_are_made_of_those_that_it_has() -> None:
    known = {"mug": ["M AH G"], "left": ["L EH F T"], "most": ["M OW S T"], "don't": ["D OW N T"], "box": ["B AA K S"]}
    found = pronounced(["mug's", "box's", "leftmost", "dont", "xqzrt"], known)
    assert found == {
        "mug's": ["M AH G Z"], "box's": ["B AA K S IH Z"], "leftmost": ["L EH F T M OW S T"], "dont": ["D OW N T"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["whisper", "sherpa"])
def test_a_folder_without_a_model_is_named_with_what_it_lacks(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"{tmp_path} lacks .*model"):
        open_recognizer(name, str(tmp_path))
    with pytest.raises(ConfigError, match=r"model_dir: .* needs that of its model"):
        open_recognizer(name, str(tmp_path / "nowhere"))


def test_a_voice_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"voice_name: '.*nobody\.onnx' is missing"):
        open_voice("piper", str(tmp_path / "nobody.onnx"))
    with pytest.raises(ConfigError, match=r"hey\.onnx is missing"):
        WakeWord(str(tmp_path / "hey.onnx"))


@needs_espeak
def test_a_voice_that_espeak_does_not_know_is_told() -> None:
    with pytest.raises(ConfigError, match="no voice 'martian'"):
        EspeakVoice("martian")


@pytest.mark.parametrize(
    ("text", "after"),
    [("hey robot give me the mug", "give me the mug"), ("Hey, robot!", ""), ("robot, hey", None), ("hey", None)],
)
def test_a_wake_phrase_stands_at_the_beginning(text: str, after: str | None) -> None:
    assert after_phrase(text, "Hey robot") == after


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_sound_of_any_rate_becomes_the_same_tone(rate_hz: int) -> None:
    seconds = np.arange(rate_hz) / rate_hz
    tone = to_pcm(0.5 * np.sin(2 * np.pi * 440 * seconds), rate_hz).samples[:, 0]
    stereo = np.repeat(tone, 2)
    resample = Resampler()
    made = np.concatenate(
        [resample(checked_pcm(stereo[first : first + 1000], 2, rate_hz)) for first in range(0, len(stereo), 1000)]
    )
    assert abs(len(made) - RATE_HZ) < 0.1 * RATE_HZ  # what is still in its filter
    spectrum = np.abs(np.fft.rfft(made[2000:12000]))
    assert np.argmax(spectrum) == 440 * 10_000 // RATE_HZ
    assert 0.45 < np.abs(made[2000:12000]).max() < 0.55


@pytest.mark.parametrize(("count", "channels", "rate_hz"), [(3, 2, 16_000), (2, 0, 16_000), (2, 1, 0), (2, 65, 16_000)])
def test_impossible_sound_is_refused(count: int, channels: int, rate_hz: int) -> None:
    with pytest.raises(BadInputError, match=r"samples|channels"):
        checked_pcm(np.zeros(count, np.int16), channels, rate_hz)
