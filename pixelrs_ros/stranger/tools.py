"""Things that hold nothing: hammer, knife, screwdriver, spoon, brush, box, ball, lamp, book; and all kinds by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pixelrs_ros.stranger import paint, vessels
from pixelrs_ros.stranger.coats import Piece, Style
from pixelrs_ros.stranger.meshes import Point, block, cutout, joined, lathe, tube


def _rod(profile: list[Point]) -> list[Point]:
    """A turned rod's profile from (radius, place along x) with both ends closed."""
    return [(0.0, profile[0][1]), *profile, (0.0, profile[-1][1])]


def hammer(style: Style) -> list[Piece]:
    """A claw hammer, a sledge or a mallet, lying on its side."""
    rng = style.rng
    length, grip = rng.uniform(0.2, 0.27), rng.uniform(0.012, 0.015)
    lift = rng.uniform(0.016, 0.021)
    path = [(0, 0, lift), (length * 0.4, 0, lift), (length * 0.75, 0, lift), (length, 0, lift)]
    handle = tube(path, [grip, grip * 0.85, grip * 0.7, grip * 0.7], 0.8)
    sort = rng.choice(["claw", "sledge", "mallet"])
    if sort == "claw":
        face = lathe(_rod([(0.016, -0.062), (0.016, -0.045), (0.011, -0.04), (0.013, 0.015)]), 24)
        claw = [(length + 0.002 - 0.018 * t * t, 0.01 + 0.06 * t, lift) for t in np.linspace(0, 1, 8)]
        horn = tube(claw, np.linspace(0.013, 0.006, 8).tolist(), 0.9)
        head = joined(face.turned("x", -np.pi / 2).moved((length, 0, lift)), horn)
    else:
        radius = lift if sort == "sledge" else lift * 1.35
        body = lathe(_rod([(radius * 0.9, -0.05), (radius, -0.045), (radius, 0.045), (radius * 0.9, 0.05)]), 28)
        head = body.turned("x", np.pi / 2).moved((length, 0, radius))
    dark = style.color != "black" and rng.random() < 0.4
    steel = paint.Coat((0.24, 0.25, 0.27), shine=0.6) if dark else style.steel()
    return [Piece("handle", handle, style.grip()), Piece("head", head, steel)]


def knife(style: Style) -> list[Piece]:
    """A kitchen knife lying flat: pointed, broad or round at the tip."""
    rng = style.rng
    length, width = rng.uniform(0.13, 0.2), rng.uniform(0.028, 0.044)
    grip = rng.uniform(0.1, 0.125)
    edge = [(length * t, -width * (1 - max(0.0, (t - 0.55) / 0.45) ** 2.2)) for t in np.linspace(0, 1, 10)]
    blade = cutout([*edge, (length * 0.55, 0.004), (0.0, 0.004)], 0.0028).moved((0, width * 0.42, 0.009))
    path = [(-grip, 0, 0.011), (-grip * 0.7, 0.001, 0.011), (-grip * 0.3, 0, 0.011), (0.004, 0, 0.011)]
    handle = tube(path, [0.0135, 0.0145, 0.013, 0.014], 0.7)
    return [Piece("blade", blade, style.steel()), Piece("handle", handle, style.grip())]


def screwdriver(style: Style) -> list[Piece]:
    """A screwdriver with a fat grip, lying."""
    rng = style.rng
    fat, grip, shaft = rng.uniform(0.0145, 0.019), rng.uniform(0.09, 0.115), rng.uniform(0.09, 0.14)
    turns = np.linspace(0, 1, 12)
    ripple = rng.choice([0.0, 0.06])
    profile = [(fat * (1 - 0.35 * max(0.0, (t - 0.75) / 0.25)) * (1 - ripple * (i % 2)), -grip * (1 - t))
               for i, t in enumerate(turns)]  # fmt: skip
    handle = lathe(_rod([(fat * 0.8, -grip - 0.006), *profile]), 8 if rng.random() < 0.4 else 28)
    rod = lathe(_rod([(0.0042, -0.004), (0.0042, shaft - 0.015), (0.0042, shaft)]), 16)
    tip = block((0.003, 0.012, 0.018)).moved((0, 0, shaft + 0.002))
    shank = joined(rod, tip).turned("y", np.pi / 2).moved((0, 0, fat))
    coat = style.plain(shine=0.6)
    if style.textured and rng.random() < 0.6:
        coat = paint.Coat((1.0, 1.0, 1.0), paint.pattern(rng, style.rgb, style.other()), 0.6)
    return [
        Piece("handle", handle.turned("y", np.pi / 2).moved((0, 0, fat)), coat),
        Piece("shaft", shank, style.steel()),
    ]


def spoon(style: Style) -> list[Piece]:
    """A cooking or table spoon, lying with its bowl up."""
    rng = style.rng
    length, wide = rng.uniform(0.15, 0.2), rng.uniform(0.024, 0.031)
    long = wide * rng.uniform(1.25, 1.5)
    dish = [(1.0, 0.014), (0.85, 0.006), (0.5, 0.001), (0.0, 0.0)][::-1]
    inside = [(0.93, 0.014), (0.8, 0.008), (0.45, 0.004), (0.0, 0.003)]
    bowl = lathe([*dish, *inside]).scaled((long, wide, 1))
    path = [(long * 0.93, 0, 0.0125), (long + 0.025, 0, 0.018), (long + length * 0.5, 0, 0.013),
            (long + length, 0, 0.009)]  # fmt: skip
    handle = tube(path, [0.006, 0.0055, 0.007, 0.0105], 0.6)
    coat = style.grip()
    return [
        Piece("bowl", bowl, style.plain(0.95, 0.3) if coat.texture is None else coat),
        Piece("handle", handle, coat),
    ]


def brush(style: Style) -> list[Piece]:
    """A paint brush or a scrubbing brush, lying."""
    rng = style.rng
    hairs = [(0.82, 0.72, 0.52), (0.16, 0.13, 0.11), (0.93, 0.9, 0.84)][int(rng.integers(3))]
    if style.color in ("black", "white"):
        hairs = (0.82, 0.72, 0.52)
    hair = paint.Coat(hairs, shine=0.05)
    if style.textured:
        lines = paint.clouds(rng, 256, 256, (2, 120))[..., None]
        hair = paint.Coat((1.0, 1.0, 1.0), paint.to_bytes(paint.plate(hairs) * (1 + 0.3 * lines)), 0.05)
    length = rng.uniform(0.12, 0.17)
    if rng.random() < 0.5:
        wide, tuft = rng.uniform(0.05, 0.075), rng.uniform(0.05, 0.07)
        path = [(-length, 0, 0.011), (-length * 0.6, 0, 0.012), (-length * 0.2, 0, 0.01)]
        grip = joined(tube(path, [0.009, 0.0125, 0.009], 0.7), block((length * 0.24, wide, 0.018), 0.003).moved(
            (-length * 0.1, 0, 0.011)))  # fmt: skip
        bristles = joined(block((tuft * 0.6, wide * 0.96, 0.015), 0.003).moved((length * 0.02 + tuft * 0.3, 0, 0.011)),
                          block((tuft * 0.5, wide * 0.86, 0.009), 0.003).moved((tuft * 0.75, 0, 0.009)))  # fmt: skip
        return [Piece("handle", grip, style.grip()), Piece("bristles", bristles, hair)]
    radius = rng.uniform(0.026, 0.034)
    path = [(-length, 0, 0.042), (-length * 0.5, 0, 0.048), (0, 0, 0.042), (0.03, 0, 0.04)]
    disk = lathe(_rod([(radius, 0.034), (radius, 0.046)])).scaled((1.5, 1, 1)).moved((0.055, 0, 0))
    tuft_mesh = lathe(_rod([(radius * 1.05, 0.0), (radius * 0.92, 0.034)])).scaled((1.5, 1, 1)).moved((0.055, 0, 0))
    grip = joined(tube(path, [0.01, 0.011, 0.008, 0.01], 0.7), disk)
    return [Piece("handle", grip, style.grip()), Piece("bristles", tuft_mesh, hair)]


def box(style: Style) -> list[Piece]:
    """A cardboard or gift box whose lid overlaps it, a little askew."""
    rng = style.rng
    x, y, z = rng.uniform(0.09, 0.16), rng.uniform(0.08, 0.11), rng.uniform(0.055, 0.1)
    deep = z * rng.uniform(0.22, 0.34)
    lid = (
        block((x + 0.007, y + 0.007, deep), 0.002)
        .turned("z", rng.uniform(-0.08, 0.08))
        .moved((0, 0, z - deep / 2 + 0.004))
    )
    body = block((x, y, z), 0.002).moved((0, 0, z / 2))
    top = style.printed("carton") if rng.random() < 0.5 else style.plain(rng.choice([0.75, 0.85, 1.0]))
    return [Piece("body", body, style.printed("carton")), Piece("lid", lid, top)]


def ball(style: Style) -> list[Piece]:
    """A ball."""
    radius = style.rng.uniform(0.03, 0.062)
    turns = np.linspace(-np.pi / 2, np.pi / 2, 20)
    mesh = lathe([(radius * np.cos(t), radius * np.sin(t)) for t in turns])
    mesh = mesh.turned("x", style.rng.uniform(0, 3)).turned("z", style.rng.uniform(0, 6)).moved((0, 0, radius))
    return [Piece("body", mesh, style.printed("ball_print"))]


def lamp(style: Style) -> list[Piece]:
    """A bedside lamp with a cloth shade, or a desk lamp with a tilted metal one."""
    rng = style.rng
    stem, foot = rng.uniform(0.12, 0.17), rng.uniform(0.042, 0.055)
    glow = 0.25 if rng.random() < 0.4 and style.color not in ("black",) else 0.0
    coat = style.surface("fabric")
    coat = paint.Coat(coat.rgb, coat.texture, 0.1, glow=glow)
    low, high, tall = rng.uniform(0.06, 0.078), rng.uniform(0.035, 0.05), rng.uniform(0.075, 0.1)
    base_coat = [style.plain(0.75), style.steel(), style.timber()][int(rng.integers(3))]
    if rng.random() < 0.6:
        base = [(0.0, 0.0), (foot, 0.0), (foot, 0.008), (foot * 0.5, 0.018), (0.012, 0.03), (0.02, stem * 0.55),
                (0.008, stem * 0.9), (0.006, stem + 0.02), (0.0, stem + 0.02)]  # fmt: skip
        shade = vessels.hollow([(low, stem), (high, stem + tall)], 0.003, stem - 1)[1:-2]
        return [Piece("base", lathe(base), base_coat), Piece("shade", lathe([*shade, shade[0]]), coat)]
    base_mesh = lathe([(0.0, 0.0), (foot, 0.0), (foot, 0.012), (foot * 0.8, 0.016), (0.0, 0.016)])
    top = (0.05, 0, stem + 0.06)
    arm = tube([(-0.03, 0, 0.01), (-0.045, 0, stem * 0.6), (-0.02, 0, stem + 0.05), top], [0.0065] * 4)
    cone = lathe([(0.0, 0.02), (0.014, 0.018), (0.02, 0.0), (low * 0.8, -0.06), (low * 0.78, -0.06), (0.016, -0.002),
                  (0.0, 0.0)][::-1])  # fmt: skip
    return [Piece("base", joined(base_mesh, arm), base_coat), Piece("shade", cone.turned("y", -0.5).moved(top), coat)]


def book(style: Style) -> list[Piece]:
    """A closed book lying on its back."""
    rng = style.rng
    x, y, z = rng.uniform(0.12, 0.155), rng.uniform(0.165, 0.21), rng.uniform(0.026, 0.046)
    board = 0.0035
    covers = [block((x, y, board)).moved((0, 0, board / 2)), block((x, y, board)).moved((0, 0, z - board / 2))]
    spine = block((board, y, z)).moved((-x / 2, 0, z / 2))
    pages = block((x - 0.008, y - 0.01, z - 2 * board)).moved((-0.001, 0, z / 2))
    paper = style.pale()
    if style.textured:
        lines = paint.clouds(rng, 256, 256, (120, 2))[..., None]
        paper = paint.Coat((1.0, 1.0, 1.0), paint.to_bytes(paint.plate((0.9, 0.87, 0.78)) * (1 + 0.12 * lines)), 0.05)
    cover = Piece("cover", joined(*covers), style.printed("cover"))
    return [cover, Piece("cover", spine, style.plain(0.95)), Piece("pages", pages, paper)]


@dataclass(frozen=True)
class Kind:
    """A sort of thing: how it is made, its parts, and the largest first."""

    make: Callable[[Style], list[Piece]]
    parts: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "mug": Kind(vessels.mug, ("body", "handle")),
    "hammer": Kind(hammer, ("head", "handle")),
    "knife": Kind(knife, ("blade", "handle")),
    "bottle": Kind(vessels.bottle, ("body", "cap")),
    "pan": Kind(vessels.pan, ("body", "handle")),
    "screwdriver": Kind(screwdriver, ("shaft", "handle")),
    "spoon": Kind(spoon, ("bowl", "handle")),
    "brush": Kind(brush, ("bristles", "handle")),
    "box": Kind(box, ("body", "lid")),
    "teapot": Kind(vessels.teapot, ("body", "spout", "handle", "lid")),
    "bowl": Kind(vessels.bowl, ("body",)),
    "can": Kind(vessels.can, ("body",)),
    "ball": Kind(ball, ("body",)),
    "lamp": Kind(lamp, ("base", "shade")),
    "book": Kind(book, ("cover", "pages")),
    "basket": Kind(vessels.basket, ("body", "handle")),
}
