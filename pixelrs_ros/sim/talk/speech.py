"""How carelessly people talk and type: terse or courteous forms, fillers, slips of the finger.

Every function takes a sentence and gives it back changed, never so that its meaning is lost.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Container
from dataclasses import dataclass

MIN_TYPO_LETTERS = 5  # a slip in a shorter word may leave nothing to recognize it by
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORD = re.compile(rf"[A-Za-z]{{{MIN_TYPO_LETTERS},}}")
_ARTICLE = re.compile(r"\b(?:the|an|a) ", re.IGNORECASE)
# What a hasty person leaves away; repeated, because "could you help me ..." is two of them.
_OPENER = re.compile(
    r"^(?:(?:I|we) (?:want|wanted|need|have|plan|must|should|mean|meant|think)(?: to)?"
    r"|I'd (?:like|love|prefer|rather)(?: to)?|I'm (?:going|about|trying|supposed|ready) to"
    r"|I'm (?:looking|searching) for|I'm (?:after|thinking of|talking about)|I was (?:thinking of|looking for)"
    r"|(?:can|could|would) you(?= (?:hand|help me \w|give|bring|pass|grab|hold|pick|point|touch|find|open|show))"
    r"|help me|let me|let's|please|robot,|the (?:one|thing)(?= on | to | in | at ))\s+(?=\S)",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"^(?:pick|hand|give|bring|pass|grab|take|lift|fetch|show|point|hold|open|grip|touch|find|look|mark|highlight|count"
    r"|reach|get|go|help)\b[^?!:]*$"
)


@dataclass(frozen=True)
class Habits:
    """How often people speak in each way, as rates in [0, 1] of the utterances that allow it.

    Attributes:
        typo: A slip of the finger; one in four of them has a second one.
        filler: "uh", "you know" between any two words.
        hedge: "I guess" at one of the ends.
        aside: A remark that has nothing to do with it, at one of the ends.
        terse: Only the words that matter.
        courtesy: "would you be so kind as to" before what would be an order.
        capitals: ALL OF IT.
        bare: No punctuation at all.
    """

    typo: float = 0.0
    filler: float = 0.0
    hedge: float = 0.0
    aside: float = 0.0
    terse: float = 0.0
    courtesy: float = 0.0
    capitals: float = 0.0
    bare: float = 0.0


def is_imperative(words: str) -> bool:
    """Whether a sentence is a plain order, so that a courtesy fits before it."""
    return bool(_IMPERATIVE.match(words))


def terse(words: str) -> str:
    """Only the words that matter: "I'd like the red mug" is "red mug"."""
    before = None
    while before != words:
        before, words = words, _OPENER.sub("", words)
    return _ARTICLE.sub("", words)


def bare(words: str) -> str:
    """Without punctuation, apostrophes among it."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s'-]", " ", words).replace("'", "")).strip()


def with_filler(words: str, filler: str, rng: random.Random) -> str:
    """Puts a filler between two words, with or without commas around it."""
    spoken = words.split(" ")
    place = rng.randrange(len(spoken))
    filler = rng.choice((filler, f"{filler},", f"{filler}...", f", {filler},"))
    said = " ".join((*spoken[:place], filler, *spoken[place:]))
    return re.sub(r" ?,+", ",", said).lstrip(", ")


def at_an_end(words: str, remark: str, *, first: bool) -> str:
    """Puts a remark before or after a sentence; the question mark stays with its sentence."""
    if first:
        return f"{remark}, {words}"
    return f"{words} {remark}" if words[-1] in "?!" else f"{words}, {remark}"


def interrupted(
    words: str, habits: Habits, remark: Callable[[str], str], rng: random.Random
) -> tuple[str, frozenset[str]]:
    """Puts what people say besides into a sentence.

    Args:
        words: The sentence.
        habits: How often.
        remark: Gives one of "hedge", "filler", "aside.before" and "aside.after".
        rng: Every choice comes from it.

    Returns:
        The sentence, and the names of the habits that it shows.
    """
    shown = set()
    if rng.random() < habits.hedge:
        shown.add("hedge")
        words = at_an_end(words, remark("hedge"), first=rng.random() < 0.5)
    if rng.random() < habits.filler:
        shown.add("filler")
        words = with_filler(words, remark("filler"), rng)
    if rng.random() < habits.aside:
        shown.add("aside")
        first = rng.random() < 0.6
        words = at_an_end(words, remark("aside.before" if first else "aside.after"), first=first)
    return words, frozenset(shown)


def mistype(words: str, known: Container[str], rng: random.Random) -> str:
    """Slips once: a neighboring key, or a letter that is dropped, doubled or swapped with the next.

    Only known words of at least `MIN_TYPO_LETTERS` letters slip, never in their first letter and never into another
    known word: so a word slips once at most.

    Args:
        words: The sentence.
        known: Words in lower case.
        rng: Every choice comes from it.

    Returns:
        The sentence with one edit, or as it was where no slip is possible.
    """
    long = list(_WORD.finditer(words))
    for match in rng.sample(long, len(long)):
        word = match.group()
        slipped = _slip(word, rng)
        if word.lower() in known and slipped.lower() not in known:
            return words[: match.start()] + slipped + words[match.end() :]
    return words


def _slip(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    kind = rng.randrange(4)
    if kind == 0:
        return before + after
    if kind == 1:
        return before + letter + letter + after
    if kind == 2:
        return before + after[:1] + letter + after[1:]
    return before + rng.choice(_neighbors(letter)) + after


def _neighbors(letter: str) -> str:
    """Keys beside a letter's on a QWERTY keyboard."""
    row = next(row for row in _ROWS if letter.lower() in row)
    place = row.index(letter.lower())
    return row[max(0, place - 1) : place] + row[place + 1 : place + 2]


def with_article(words: str) -> str:
    """Puts "a" or "an" before words."""
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def plural(kind: str) -> str:
    """More than one of a kind: "boxes", "brushes", "knives", "mugs"."""
    if kind.endswith("fe"):
        return f"{kind[:-2]}ves"
    return f"{kind}es" if kind.endswith(("x", "sh", "ch", "ss")) else f"{kind}s"
