"""How well dialogues go that are spoken: words recognized, ends found, and targets shown, in silence and in noise."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.evaluation.evaluate import EngineFactory, Job, evaluate
from pixelrs_ros.evaluation.play import HEADLINE
from pixelrs_ros.evaluation.samples import Samples, on_shelf
from pixelrs_ros.speech.audio import RATE_HZ, Resampler, to_pcm
from pixelrs_ros.speech.detector import SileroDetector
from pixelrs_ros.speech.extra import require
from pixelrs_ros.speech.heard import Recognizer
from pixelrs_ros.speech.phrasings import spoken_words
from pixelrs_ros.speech.utterances import Endpointing, Utterance, UtteranceFinder
from pixelrs_ros.speech.voice import EspeakVoice

_NS_PER_S = 1_000_000_000
_PIECE = 800  # samples that a microphone sends at once: 50 ms
_LEAD_S, _TAIL_S = 0.5, 1.2  # of silence around what is said
_FLOOR = 3e-4  # a quiet room, 70 dB below the loudest sound
VOICES = (("en-us", 150), ("en-gb", 165), ("en-us+f3", 140), ("en-gb-scotland", 150))  # and words a minute


@dataclass(frozen=True)
class Noise:
    """What is between the mouth and the microphone.

    Attributes:
        name: In tables.
        snr_db: How much louder speech is than the noise, in dB; None: a quiet room.
        reverberation: Of the room, in percent as sox counts it.
    """

    name: str
    snr_db: float | None = None
    reverberation: int = 0


NOISES = (
    Noise("quiet"),
    Noise("noise, 20 dB", 20.0),
    Noise("noise, 10 dB", 10.0),
    Noise("noise, 5 dB", 5.0),
    Noise("reverberation", None, 40),
    Noise("noise, 10 dB, and reverberation", 10.0, 40),
)


@dataclass(frozen=True)
class Turn:
    """What became of one spoken instruction.

    Attributes:
        text: What was recognized.
        confidence: The recognizer's; 0 where the utterance was cut or in pieces.
        delay_s: From the end of the speech until the end was certain; None where no utterance was found.
    """

    text: str
    confidence: float
    delay_s: float | None


def speak(text: str, index: int) -> np.ndarray:
    """(N,) float32 of 16 kHz: a text in one of `VOICES`, without silence around it."""
    voice, rate_wpm = VOICES[index % len(VOICES)]
    sound = Resampler()(EspeakVoice(voice, rate_wpm).say(text))
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound


def disturb(speech: np.ndarray, noise: Noise) -> np.ndarray:
    """(M,) float32: speech with silence around it, in a room with echo and noise.

    Raises:
        ConfigError: sox is not installed.
    """
    silence = [np.zeros(round(seconds * RATE_HZ), np.float32) for seconds in (_LEAD_S, _TAIL_S)]
    sound = np.concatenate((silence[0], speech, silence[1]))
    if noise.reverberation:
        echoed = _sox(sound, ["-", *_RAW, "-"], ["reverb", str(noise.reverberation)])
        sound = echoed[: len(sound)]
    level = _FLOOR
    if noise.snr_db is not None:
        level = float(np.sqrt(np.mean(np.square(speech)))) * 10 ** (-noise.snr_db / 20)
    hum = _sox(np.zeros(0, np.float32), ["-n", *_RAW, "-"], ["synth", f"{len(sound) / RATE_HZ:.3f}", "pinknoise"])
    hum = np.resize(hum, len(sound))
    return np.clip(sound + hum * (level / float(np.sqrt(np.mean(np.square(hum))))), -1.0, 1.0).astype(np.float32)


_RAW = ["-t", "raw", "-r", str(RATE_HZ), "-e", "signed", "-b", "16", "-c", "1"]


def _sox(sound: np.ndarray, files: Sequence[str], effect: Sequence[str]) -> np.ndarray:
    """What sox makes of sound; the same every time."""
    if shutil.which("sox") is None:
        raise ConfigError("sox is not installed; remedy: apt-get install sox")
    head = ["sox", "-R", "-V1", *(_RAW if files[0] == "-" else [])]
    done = subprocess.run([*head, *files, *effect], input=to_pcm(sound).samples.tobytes(), capture_output=True)
    if done.returncode:
        raise ConfigError(f"sox failed: {done.stderr.decode(errors='replace').strip()}")
    made: np.ndarray = np.frombuffer(done.stdout, np.int16).astype(np.float32) / 32768
    return made


def listen(sound: np.ndarray, recognizer: Recognizer, detector: SileroDetector) -> Turn:
    """Hear a sound as the speech node does, piece by piece."""
    detector.reset()
    finder = UtteranceFinder(detector, Endpointing())
    found: list[Utterance] = []
    for first in range(0, len(sound), _PIECE):
        stamp_ns = first * _NS_PER_S // RATE_HZ
        found += [one for one in finder.feed(sound[first : first + _PIECE], stamp_ns) if isinstance(one, Utterance)]
    heard = [recognizer.recognize(one.samples) for one in found]
    text = " ".join(one.text for one in heard if one.text)
    whole = len(found) == 1 and not found[0].cut and bool(text)
    end_ns = (len(sound) - round(_TAIL_S * RATE_HZ)) * _NS_PER_S // RATE_HZ
    delay_s = (found[-1].found_ns - end_ns) / _NS_PER_S if found else None
    return Turn(text, heard[0].confidence if whole else 0.0, delay_s)


def measure(
    samples: Samples,
    recognizer: Recognizer,
    make_engine: EngineFactory,
    min_confidence: float,
    noises: Sequence[Noise] = NOISES,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[dict[str, Any]]:
    """Speak the instructions of dialogues in every noise and play what was recognized; typed first, to compare.

    Args:
        samples: The dialogues; what counts is how the last turn of each ends.
        recognizer: Turns sound into words.
        make_engine: Gives the network.
        min_confidence: What is less sure is asked again and not acted on.
        noises: What is between them.
        on_progress: Called with the number of dialogues that were just finished.

    Returns:
        A row for each, JSON types: "noise", "turns", "word_error_rate", "endpoint_delay_s" (median and 95th
        percentile), "acted" (share of dialogues in which every turn was acted on), and of all dialogues: "right" (acted
        on, and the last turn right), "wrong" (acted on and wrong), "asked_again".

    Raises:
        ConfigError: espeak-ng, sox or jiwer is not installed.
    """
    jiwer = require("jiwer", remedy="pip install -r requirements/dev.txt")
    engine = make_engine()
    detector = SileroDetector()
    rows = [_row("typed", samples, engine, None, jiwer, min_confidence)]
    on_progress(len(samples.all))
    spoken = [
        [speak(exchange.text, place + sample.index) for place, exchange in enumerate(sample.exchanges)]
        for sample in samples.all
    ]
    for noise in noises:
        turns = []
        for sounds in spoken:
            turns.append([listen(disturb(sound, noise), recognizer, detector) for sound in sounds])
            on_progress(1)
        rows.append(_row(noise.name, samples, engine, turns, jiwer, min_confidence))
    return rows


def _row(
    name: str, samples: Samples, engine: Any, turns: list[list[Turn]] | None, jiwer: Any, min_confidence: float
) -> dict[str, Any]:
    heard = samples if turns is None else replace(samples, all=on_shelf(_as_heard(samples, turns)))
    _, records = evaluate(Job(heard, (HEADLINE,)), lambda: engine)
    right = {record.dialogue: record.right for record in records if record.condition == HEADLINE.name}
    acted = [True] * len(samples.all)
    if turns is not None:
        acted = [all(turn.confidence >= min_confidence for turn in one) for one in turns]
    ends = [(did, right[sample.index]) for sample, did in zip(samples.all, acted, strict=True)]
    row: dict[str, Any] = {"noise": name, "turns": sum(len(sample.exchanges) for sample in samples.all)}
    if turns is not None:
        texts = [exchange.text for sample in samples.all for exchange in sample.exchanges]
        pairs = list(zip(texts, (turn for one in turns for turn in one), strict=True))
        wanted, found = zip(*((" ".join(spoken_words(text)), turn.text) for text, turn in pairs), strict=True)
        row["word_error_rate"] = round(float(jiwer.wer(list(wanted), list(found))), 3)
        sure = [(text, turn) for text, turn in zip(wanted, (turn for _, turn in pairs), strict=True)]
        sure = [(text, turn) for text, turn in sure if turn.confidence >= min_confidence]
        row["word_error_rate_acted"] = (
            round(float(jiwer.wer([text for text, _ in sure], [turn.text for _, turn in sure])), 3) if sure else None
        )
        delays = [turn.delay_s for _, turn in pairs if turn.delay_s is not None]
        row["endpoint_delay_s"] = [round(float(one), 2) for one in np.percentile(delays, (50, 95))] if delays else None
        row["not_one_utterance"] = sum(turn.confidence == 0.0 for _, turn in pairs)
    count = len(ends)
    row["right"] = round(sum(did and good for did, good in ends) / count, 3)
    row["wrong"] = round(sum(did and not good for did, good in ends) / count, 3)
    row["asked_again"] = round(sum(not did for did, _ in ends) / count, 3)
    row["right_if_all_acted"] = round(sum(good for _, good in ends) / count, 3)
    return row


def _as_heard(samples: Samples, turns: list[list[Turn]]) -> Iterator[Any]:
    for sample, heard in zip(samples.all, turns, strict=True):
        exchanges = zip(sample.exchanges, heard, strict=True)
        yield replace(sample, exchanges=tuple(replace(one, text=turn.text) for one, turn in exchanges))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table of the documents."""
    head = (
        "| | word error rate | of what is acted on | endpoint delay, median / p95 [s] | right | wrong | asked again |"
    )
    lines = [head, "|---|---|---|---|---|---|---|"]
    for row in rows:
        delay = row.get("endpoint_delay_s")
        cells = [_percent(row.get("word_error_rate")), _percent(row.get("word_error_rate_acted"))]
        cells += [" / ".join(f"{one:.2f}" for one in delay) if delay else ""]
        cells += [_percent(row[key]) for key in ("right", "wrong", "asked_again")]
        lines.append(f"| {row['noise']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"
