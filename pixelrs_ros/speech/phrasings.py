"""What people may say to the robot, as a recognizer's dictionary and language model want it: sentences and words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping

from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.talk.refer import ORDINALS
from pixelrs_ros.sim.talk.speech import plural, with_article
from pixelrs_ros.sim.talk.voices import WISHES_ONLY, Voice, load_voice, voices_of

_SLOT = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
# Slots that are filled into others and never stand alone.
_PIECES = ("before", "after", "word.", "np.", "want.", "use.", "unknown")
_PER_PHRASING = 4  # sentences of a phrasing that names something: so often each is filled in anew
_AROUND_RATE = 0.15  # of orders, how many have words before or after them


def spoken_words(text: str) -> list[str]:
    """The words of a text as one hears them: lower case, without punctuation."""
    return _WORD.findall(text.lower().replace("’", "'"))


def sentences(seed: int = 0) -> list[str]:
    """Sentences as the voices of the training say them, and never those that the tests speak in.

    Args:
        seed: Which things fill the phrasings.

    Returns:
        Each in lower case without punctuation, the same for the same seed.
    """
    rng = random.Random(seed)
    said: list[str] = []
    for name in (*voices_of("train"), WISHES_ONLY):
        filler = _Filler(load_voice(name), rng)
        for slot, phrasings in load_voice(name).phrasings.items():
            if slot.startswith(_PIECES):
                continue
            for words in phrasings:
                times = _PER_PHRASING if "{" in words else 1
                said += [filler.around(filler.fill(words)) for _ in range(times)]
    return [" ".join(heard) for one in said if (heard := spoken_words(one))]


class _Filler:
    """Fills one voice's phrasings with things, whether or not a scene shows them."""

    def __init__(self, voice: Voice, rng: random.Random) -> None:
        self._phrasings = voice.phrasings
        self._rng = rng
        self._nouns = [slot for slot in voice.phrasings if slot.startswith(("np.", "want."))]
        self._fillers: Mapping[str, Callable[[], str]] = {
            "np": self._noun,
            "a_np": lambda: with_article(rng.choice((self._kind(), f"{rng.choice(list(COLORS))} {self._kind()}"))),
            "kind": self._kind,
            "kinds": lambda: plural(self._kind()),
            "color": lambda: rng.choice(list(COLORS)),
            "ordinal": lambda: rng.choice(ORDINALS),
            "part": lambda: self._word(rng.choice(rng.choice(list(KINDS.values())).parts)),
            "head": lambda: rng.choice((f"the {self._kind()}", f"the {rng.choice(list(COLORS))} one", "the thing")),
            **dict.fromkeys(("a", "b", "ref"), lambda: f"the {rng.choice(list(COLORS))} {self._kind()}"),
        }

    def fill(self, words: str) -> str:
        """A phrasing with something for each of its placeholders."""
        return _SLOT.sub(lambda match: self._fillers[match[1]](), words)

    def around(self, words: str) -> str:
        """A sentence, sometimes with what this person says before and after it."""
        rng = self._rng
        if rng.random() < _AROUND_RATE and "before" in self._phrasings:
            words = f"{rng.choice(self._phrasings['before'])} {words}"
        if rng.random() < _AROUND_RATE and "after" in self._phrasings:
            words = f"{words} {rng.choice(self._phrasings['after'])}"
        return words

    def _word(self, name: str) -> str:
        return self._rng.choice(self._phrasings.get(f"word.{name}", (name,)))

    def _kind(self) -> str:
        return self._word(self._rng.choice(list(KINDS)))

    def _noun(self) -> str:
        # Parts and colored kinds are what most orders name; all other forms share the rest.
        slot = self._rng.choice(("np.color_kind", "np.kind", "np.part_of", *self._nouns)) if self._nouns else ""
        return self.fill(self._rng.choice(self._phrasings[slot])) if slot in self._phrasings else f"the {self._kind()}"


def pronounced(words: Iterable[str], known: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """How words are pronounced, those among them that a dictionary lacks as far as they are made of words that it has.

    Args:
        words: In lower case.
        known: Pronunciations by word, each as phones of the CMU dictionary separated by spaces.

    Returns:
        At least one pronunciation of each word; words without any are missing.
    """
    found = {}
    for word in words:
        ways = known.get(word) or _made_of(word, known)
        if ways:
            found[word] = ways
    return found


def _made_of(word: str, known: Mapping[str, list[str]]) -> list[str]:
    """Of an owner's word ("the mug's"), of one typed without its apostrophe, and of two words in one ("leftmost")."""
    stem = word.removesuffix("'s")
    if stem != word and stem in known:
        ending = {"S": "IH Z", "Z": "IH Z", "SH": "IH Z", "CH": "IH Z", "P": "S", "T": "S", "K": "S", "F": "S"}
        return [f"{way} {ending.get(way.split()[-1], 'Z')}" for way in known[stem]]
    for place in range(len(word) - 1, 0, -1):
        if (contracted := f"{word[:place]}'{word[place:]}") in known:
            return known[contracted]
    for place in range(3, len(word) - 2):
        first, second = known.get(word[:place]), known.get(word[place:])
        if first and second:
            return [f"{first[0]} {second[0]}"]
    return []
