"""A scene that one can talk about: a picture, its things with their masks and places, nothing half to be seen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.stranger.layout import Thing, arrange, choose
from pixelrs_ros.stranger.render import Seen, render

MIN_OBJECT_PX, MIN_PART_PX = 300, 80
MIN_VISIBLE = 0.62  # share of a thing that others leave to be seen
MIN_THINGS = 3
# Without these parts a person would have to guess what the thing is.
TELLING = {
    "mug": ("handle",),
    "hammer": ("head", "handle"),
    "knife": ("blade", "handle"),
    "pan": ("handle",),
    "screwdriver": ("shaft", "handle"),
    "spoon": ("bowl", "handle"),
    "brush": ("bristles", "handle"),
    "teapot": ("spout",),
    "lamp": ("shade", "base"),
    "basket": ("handle",),
}
# The brightness below which a person would give a color another name: a dark orange is brown.
BRIGHT = {"orange": 150, "yellow": 135, "white": 130, "red": 75, "green": 75, "blue": 75, "purple": 75, "black": 0}
COLORFUL = 90  # of 255: what is less saturated is steel, paper or hair


@dataclass(frozen=True)
class Item:
    """One thing as the picture shows it.

    Attributes:
        label: "red mug", or "red mug 2" for a twin.
        kind: One of the sixteen.
        color: Its name.
        parts: (H, W) bool by the parts that can be talked about.
        mask: (H, W) bool.
        center: Center of its visible pixels, (x, y) in px.
        place: On the table, (x, y) in m, y away from the camera.
        size_px: Pixels of it if nothing stood before it.
        extent_m: Diagonal of the box around it.
        visible: Share of it that can be seen.
    """

    label: str
    kind: str
    color: str
    parts: dict[str, np.ndarray]
    mask: np.ndarray
    center: tuple[float, float]
    place: tuple[float, float]
    size_px: int
    extent_m: float
    visible: float

    @property
    def name(self) -> str:
        """What the robot calls it, "red mug"."""
        return f"{self.color} {self.kind}"

    def part_label(self, part: str) -> str:
        """What labelme calls one of its parts."""
        return f"{part} of the {self.label}"


@dataclass(frozen=True)
class Scene:
    """A picture and all that stands in it.

    Attributes:
        seed: That it can be made from again.
        textured: Whether its surfaces show prints, grain and patterns.
        image: (H, W, 3) uint8 RGB.
        items: At least three.
    """

    seed: int
    textured: bool
    image: np.ndarray
    items: tuple[Item, ...]

    def masks(self) -> dict[str, np.ndarray]:
        """(H, W) bool by label, whole things and parts."""
        masks: dict[str, np.ndarray] = {}
        for item in self.items:
            masks[item.label] = item.mask
            masks |= {item.part_label(part): mask for part, mask in item.parts.items()}
        return masks


def make_scene(seed: int, textured: bool) -> Scene:
    """Makes things until a picture of at least three shows each of them well."""
    rng = np.random.default_rng([seed, int(textured)])
    while True:
        things = arrange(rng, choose(rng), textured)
        state = rng.bit_generator.state
        while len(things) >= MIN_THINGS:
            rng.bit_generator.state = state  # the same room again
            seen = render(rng, things, textured)
            bad = _badly_seen(things, seen)
            if not bad:
                return Scene(seed, textured, seen.image, _items(things, seen))
            things = [thing for index, thing in enumerate(things) if index not in bad]


def _union(parts: dict[str, np.ndarray]) -> np.ndarray:
    return np.any(list(parts.values()), axis=0)


def _looks(pixels: np.ndarray, color: str) -> bool:
    """Whether (N, 3) pixels of a thing are bright enough for its color's name."""
    if not len(pixels):
        return False
    hsv = cv2.cvtColor(np.ascontiguousarray(pixels[None]), cv2.COLOR_RGB2HSV)[0]
    own = hsv if color in ("white", "black") else hsv[hsv[:, 1] > COLORFUL]
    return len(own) > 0 and bool(np.median(own[:, 2]) >= BRIGHT[color])


def _badly_seen(things: list[Thing], seen: Seen) -> set[int]:
    """Things that are small, cut off, dull, or hard to tell; of the hidden only the worst."""
    bad, hidden = set(), {}
    for index, (parts, whole) in enumerate(zip(seen.masks, seen.whole, strict=True)):
        edge = whole[0].any() or whole[-1].any() or whole[:, 0].any() or whole[:, -1].any()
        telling = [parts[part].sum() for part in TELLING.get(things[index].kind, ())]
        dull = not _looks(seen.image[_union(parts)], things[index].color)
        if edge or dull or whole.sum() < MIN_OBJECT_PX or min(telling, default=MIN_PART_PX) < MIN_PART_PX:
            bad.add(index)
            continue
        visible = _union(parts).sum() / whole.sum()
        if visible < MIN_VISIBLE or _union(parts).sum() < MIN_OBJECT_PX:
            hidden[index] = visible
    if not bad and hidden:
        bad.add(min(hidden, key=lambda index: hidden[index]))
    return bad


def _items(things: list[Thing], seen: Seen) -> tuple[Item, ...]:
    names: list[str] = []
    items = []
    for thing, parts, whole in zip(things, seen.masks, seen.whole, strict=True):
        name = f"{thing.color} {thing.kind}"
        names.append(name)
        number = names.count(name)
        mask = _union(parts)
        rows, columns = np.nonzero(mask)
        items.append(
            Item(
                label=name if number == 1 else f"{name} {number}",
                kind=thing.kind,
                color=thing.color,
                parts={part: one for part, one in parts.items() if one.sum() >= MIN_PART_PX},
                mask=mask,
                center=(float(columns.mean()), float(rows.mean())),
                place=thing.place,
                size_px=int(whole.sum()),
                extent_m=thing.extent_m,
                visible=float(mask.sum() / whole.sum()),
            )
        )
    return tuple(items)
