"""What the robot says. It names what it means, so that its words can be checked, and lists from left to right."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.talk.refer import Expression
from pixelrs_ros.sim.talk.speech import plural, with_article
from pixelrs_ros.sim.talk.wishes import WISHES

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
MAX_LISTED = 5
WHICH = "Which one do you mean?"
GREETING = "Hello. What can I find for you?"
THANKS = "You are welcome."
BYE = "Goodbye."
HELP = "Tell me what you need, and I will find it."
SMALL_TALK = "I only know what is on the table."
NONSENSE = "I did not understand that."
CONFIRMED = "Good."
NO_MEANS = "I do not see anything for that here."
NOT_HERE = "I do not see that here."
NO_OTHER = "I do not see another one here."
REJECTED = f"Sorry. {WHICH}"
_HERE = ("Here is {}", "You mean {}", "This is {}")
_THIRDS = ("on the left", "in the middle", "on the right")


def marked(phrase: str) -> str:
    """A phrase with the token of its mask."""
    return f"[OBJ] {phrase} [SEG]"


def of_part(thing: Element, part: str | None) -> str:
    """Names a thing or its part: "the red mug", "the handle of the red mug"."""
    return f"the {part} of the {thing.name}" if part else f"the {thing.name}"


def listed(names: Sequence[str]) -> str:
    """Joins names: "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def from_left(things: Sequence[Element]) -> list[Element]:
    """In the order in which the robot lists them."""
    return sorted(things, key=lambda thing: thing.center_px[0])


def grounded(
    things: Sequence[Element], part: str | None, rng: random.Random, *, wish: str = "", sorry: bool = False
) -> str:
    """Shows what was meant; several things at once where all of them were."""
    phrases = [marked(of_part(thing, part)) for thing in from_left(things)]
    if len(phrases) > 1:
        return f"Here are {listed(phrases)}."
    reason = f", {WISHES[wish].purpose}" if wish else ""
    return f"{'Sorry. ' if sorry else ''}{rng.choice(_HERE).format(phrases[0])}{reason}."


def located(thing: Element, part: str | None, width_px: float) -> str:
    """Says where it is."""
    third = _THIRDS[min(2, int(3 * thing.center_px[0] / width_px))]
    return f"{marked(of_part(thing, part)).replace('the', 'The', 1)} is {third}."


def which_one(expression: Expression | None, things: Sequence[Element]) -> str:
    """Asks back among things, which it names where they are few."""
    row = from_left(things)
    count = NUMBERS[len(row)]
    names = [thing.name for thing in row]
    one_kind = {thing.kind for thing in row} == {row[0].kind}
    one_color = {thing.color for thing in row} == {row[0].color}
    if len(row) > 3:
        what = plural(row[0].kind) if one_kind else "things that fit"
        return f"I see {count} {what}. {WHICH}"
    if one_kind and one_color:
        return f"I see {count} {plural(names[0])}. {WHICH}"
    if one_kind and len(set(names)) == len(names):
        ones = listed([f"{with_article(thing.color)} one" for thing in row])
        return f"I see {count} {plural(row[0].kind)}, {ones}. {WHICH}"
    if expression is not None and expression.form in ("wish", "group"):
        return f"{listed([with_article(name) for name in names]).capitalize()} would do. {WHICH}"
    return f"I see {listed([with_article(name) for name in names])}. {WHICH}"


def not_here(expression: Expression) -> str:
    """Says that nothing fits, in the user's terms where these are plain."""
    if expression.form == "wish":
        return NO_MEANS
    named = expression.named
    if not named:
        return NOT_HERE
    return f"I do not see {named if named.startswith('anything') else with_article(named)} here."


def no_part(thing: Element, part: str) -> str:
    """Says that a thing has no such part."""
    return f"The {thing.name} has no {part}."


def there(expression: Expression, things: Sequence[Element]) -> str:
    """Answers "is there a …?"."""
    if not things:
        named = expression.named
        return f"No, I do not see {named if named.startswith('anything') else with_article(named)}."
    if len(things) == 1:
        return f"Yes, there is {with_article(things[0].name)}."
    return f"Yes, there are {NUMBERS[len(things)]}."


def scene(things: Sequence[Element]) -> str:
    """Answers "what can you see?"."""
    row = from_left(things)
    names = [with_article(thing.name) for thing in row[:MAX_LISTED]]
    more = len(row) - MAX_LISTED
    if more > 0:
        names.append(f"{NUMBERS[more]} more {'thing' if more == 1 else 'things'}")
    return f"I see {listed(names)}."


def color_of(things: Sequence[Element]) -> str:
    """Answers "what color is the …?", of one thing or several."""
    if len(things) == 1:
        return f"The {things[0].kind} is {things[0].color}."
    return f"There are {NUMBERS[len(things)]}: {listed([thing.color for thing in from_left(things)])}."


def counted(count: int) -> str:
    """Answers "how many?"."""
    return "There are none." if count == 0 else f"I count {NUMBERS[count]}."


def that_is(thing: Element) -> str:
    """Answers "what is that on the left?"."""
    return f"That is {with_article(thing.name)}."
