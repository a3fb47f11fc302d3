"""What a person may want at a table, and which kinds of objects serve it: the root of the reasoning tree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wish:
    """One intent that never names an object.

    Attributes:
        kinds: The kinds of objects that serve it.
        purpose: How an answer gives it as the reason, "to drink from".
    """

    kinds: tuple[str, ...]
    purpose: str


WISHES: dict[str, Wish] = {
    "drink": Wish(("mug", "bottle", "can", "teapot"), "to drink from"),
    "tea": Wish(("teapot", "mug"), "for the tea"),
    "soup": Wish(("bowl", "spoon"), "for the soup"),
    "breakfast": Wish(("bowl", "mug", "spoon"), "for breakfast"),
    "salad": Wish(("bowl", "knife"), "for the salad"),
    "cook": Wish(("pan", "knife", "spoon"), "to cook with"),
    "fry": Wish(("pan",), "to fry with"),
    "heat": Wish(("pan", "teapot"), "to heat it in"),
    "cut": Wish(("knife",), "to cut with"),
    "spread": Wish(("knife", "spoon"), "to spread it with"),
    "stir": Wish(("spoon",), "to stir with"),
    "nail": Wish(("hammer",), "to drive the nail"),
    "screw": Wish(("screwdriver",), "to turn the screw"),
    "repair": Wish(("hammer", "screwdriver"), "for the repair"),
    "paint": Wish(("brush",), "to paint with"),
    "clean": Wish(("brush", "basket", "box"), "to tidy up"),
    "craft": Wish(("brush", "knife", "hammer"), "for the workshop"),
    "catch": Wish(("ball",), "to play with"),
    "fun": Wish(("ball", "book"), "for fun"),
    "read": Wish(("book",), "to read"),
    "light": Wish(("lamp",), "for the light"),
    "study": Wish(("book", "lamp"), "to study with"),
    "shopping": Wish(("basket",), "for the shopping"),
    "store": Wish(("box", "basket"), "to put things in"),
    "fruit": Wish(("bowl", "basket"), "for the fruit"),
    "water": Wish(("bottle", "can", "teapot"), "to water the plants"),
    "picnic": Wish(("basket", "bottle", "can"), "for the picnic"),
    "gift": Wish(("box", "book"), "as a present"),
}


def wishes_for(kind: str) -> tuple[str, ...]:
    """Names of the wishes that a kind of object serves."""
    return tuple(name for name, wish in WISHES.items() if kind in wish.kinds)
