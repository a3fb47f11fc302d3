"""Recognizes speech with PocketSphinx and its English sounds, in a language made of our own phrasings."""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.speech.audio import to_pcm
from pixelrs_ros.speech.extra import require
from pixelrs_ros.speech.heard import Heard
from pixelrs_ros.speech.phrasings import pronounced, sentences, spoken_words

_NUM_ALTERNATIVES = 4
_NUM_HYPOTHESES = 30  # of which many differ in pauses only
_DISCOUNT = 0.4  # of the language model's mass, what is left to words in an order that no phrasing has
_REPEATED = 10_000  # how often a further phrase counts among thousands of sentences: a wake phrase is said most often
# Noise that is added to what is recognized, as a share of its loudness: 30 dB below. The sounds were learned in rooms;
# a voice amid perfect silence is like none of them (measured in docs/speech.md).
_FLOOR = 10 ** (-30 / 20)


class Sphinx:
    """Recognizes what our phrasings may say, and nothing else. It needs no file beyond the installed packages.

    Args:
        phrases: Further sentences, such as a wake phrase.

    Raises:
        ConfigError: PocketSphinx is not installed, or nobody knows how a word of `phrases` is pronounced.
    """

    def __init__(self, phrases: Sequence[str] = ()) -> None:
        pocketsphinx = require("pocketsphinx")
        model = Path(pocketsphinx.get_model_path()) / "en-us"
        with tempfile.TemporaryDirectory(prefix="pixelrs_speech") as name:
            dictionary, language = Path(name) / "words.dict", Path(name) / "language.arpa"
            _write_language(model / "cmudict-en-us.dict", phrases, dictionary, language)
            self._decoder: Any = pocketsphinx.Decoder(
                hmm=str(model / "en-us"), dict=str(dictionary), lm=str(language), loglevel="FATAL"
            )

    def recognize(self, samples: np.ndarray) -> Heard:
        """See `Recognizer`. The confidence is the geometric mean of the words' posterior probabilities."""
        if not len(samples):
            return Heard("", 0.0)
        rng = np.random.default_rng(0)
        loudness = float(np.sqrt(np.mean(np.square(samples))))
        sound = samples + rng.normal(0.0, max(_FLOOR * loudness, 1e-4), len(samples))
        decoder = self._decoder
        decoder.start_utt()
        decoder.process_raw(to_pcm(sound).samples.tobytes(), full_utt=True)
        decoder.end_utt()
        best = decoder.hyp()
        if best is None or not best.hypstr:
            return Heard("", 0.0)
        sureness = [part.prob for part in decoder.seg() if part.word[0] not in "<["]
        logs = [math.log(min(max(one, 1e-9), 1.0)) for one in sureness]
        confidence = math.exp(sum(logs) / len(logs)) if logs else 0.0
        found = islice(decoder.nbest(), _NUM_HYPOTHESES)
        others = dict.fromkeys(one.hypstr for one in found if one is not None and one.hypstr)  # None: has no words
        others.pop(best.hypstr, None)
        return Heard(best.hypstr, confidence, tuple(others)[:_NUM_ALTERNATIVES])


def _write_language(cmudict: Path, phrases: Sequence[str], dictionary: Path, language: Path) -> None:
    """Write how words are pronounced and in which order they come.

    Raises:
        ConfigError: Nobody knows how a word of `phrases` is pronounced.
    """
    known: dict[str, list[str]] = defaultdict(list)
    for line in cmudict.read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition(" ")
        known[word.partition("(")[0]].append(phones.strip())  # "read(2)" is another way to say "read"
    wanted = [" ".join(spoken_words(phrase)) for phrase in phrases]
    said = [*sentences(), *(phrase for phrase in wanted for _ in range(_REPEATED))]
    words = sorted({word for sentence in said for word in sentence.split()})
    ways = pronounced(words, known)
    for word in " ".join(wanted).split():
        if word not in ways:
            raise ConfigError(f"nobody knows how {word!r} is pronounced: use words of CMU's dictionary")
    with dictionary.open("w", encoding="utf-8") as file:
        for word, variants in ways.items():
            for number, phones in enumerate(variants, start=1):
                file.write(f"{word if number == 1 else f'{word}({number})'} {phones}\n")
    kept = [sentence for sentence in said if all(word in ways for word in sentence.split())]
    model = require("pocketsphinx.lm").ArpaBoLM(text="\n".join(kept), add_start=True, discount_mass=_DISCOUNT)
    model.compute()
    with language.open("w", encoding="utf-8") as file:
        model.write(file)
