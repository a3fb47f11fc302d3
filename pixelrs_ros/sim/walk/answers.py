"""What the robot says. Few forms: the network shall spend its capacity on sight.

Only the answer to an action names things; before it nothing may give the target away, so earlier answers ask without
listing and refer without naming.
"""

from __future__ import annotations

import random

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

NO_MEANS = "I do not see anything for that here."
ABSENT = "I do not see that here."
WISH_MET = ("[OBJ] that one [SEG] would do.", "I would use [OBJ] that one [SEG].")
SINGLED_OUT = ("[OBJ] this one [SEG]. What shall I do with it?", "I see [OBJ] this one [SEG]. What next?")
CORRECTED = ("Sorry, [OBJ] this one [SEG].", "I see, [OBJ] this one [SEG].")
HELP = "Tell me what you need, and I will find it."
THANKS = "You are welcome."
YES = "Yes, there is."
NO = "No, there is not."
_SEVERAL = (
    "Several things here could do that. Which one do you mean?",
    "{count} of them fit. Which one do you mean?",
    "I see {few} that would do. Which one?",
    "There is more than one. Which one do you want?",
)
_NAMED = ("Here is {phrase}", "I would take {phrase}", "This is {phrase}", "You mean {phrase}")


def which_one(count: int, rng: random.Random) -> str:
    """Asks back when `count` things fit, without listing them."""
    few = NUMBERS[count]
    return rng.choice(_SEVERAL).format(count=few.capitalize(), few=few)


def counted(count: int) -> str:
    """Answers "how many": "I count three."."""
    return "There are none." if count == 0 else f"I count {NUMBERS[count]}."


def several(count: int) -> str:
    """Grounds `count` things at once without naming them."""
    each = ["[OBJ] this [SEG]"] * count
    return f"{', '.join(each[:-1])} and {each[-1]}."


def named(phrase: str, purpose: str | None, rng: random.Random) -> str:
    """Names the target, and says what it serves for where that is known."""
    reason = f", {purpose}" if purpose else ""
    return rng.choice(_NAMED).format(phrase=f"[OBJ] the {phrase} [SEG]") + f"{reason}."
