"""Printed surfaces: labels of cans and bottles, cartons, book covers, balls, table cloths, walls and pictures."""

from __future__ import annotations

import cv2
import numpy as np

from pixelrs_ros.stranger.paint import Rgb, clouds, plate, shade, to_bytes, wood

BRANDS = ("SUNNY", "Nordlys", "ACME", "Bella", "TORO", "Kiwi Co", "fresh!", "MAXI", "Delta", "OLIVIA", "Pico", "GRANO")
GOODS = (
    "tomato soup",
    "premium",
    "organic",
    "extra mild",
    "No. 5",
    "net 400 g",
    "est. 1924",
    "family size",
    "original",
)
TITLES = ("THE LONG ROAD", "Algebra II", "COOKING", "Birds of Asia", "DEEP SEA", "A Quiet Year", "Robots", "ATLAS")
AUTHORS = ("J. Moreau", "A. Lindqvist", "Chen Wei", "M. Okafor", "R. Alvarez", "T. Novak")
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
CREAM: Rgb = (0.96, 0.93, 0.84)
WHITE: Rgb = (0.96, 0.96, 0.96)
INK: Rgb = (0.08, 0.08, 0.1)


def ink_on(rgb: Rgb) -> Rgb:
    """White or nearly black, whichever can be read on a ground."""
    return INK if 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] > 0.5 else WHITE


def write(
    rng: np.random.Generator, image: np.ndarray, text: str, center: tuple[int, int], width_px: int, ink: Rgb
) -> None:
    """Letters of a width around a point of a float image."""
    font = int(rng.choice(FONTS))
    (plain_px, height_px), _ = cv2.getTextSize(text, font, 1.0, 2)
    scale = min(width_px / plain_px, 2.4)
    at = (int(center[0] - plain_px * scale / 2), int(center[1] + height_px * scale / 2))
    cv2.putText(image, text, at, font, scale, ink, max(1, round(2.2 * scale)), cv2.LINE_AA)


def photo(rng: np.random.Generator, height_px: int, width_px: int) -> np.ndarray:
    """(H, W, 3) float, like a small photograph: a landscape, or fruit on a plate."""
    if rng.random() < 0.5:
        sky = np.linspace(0, 1, height_px)[:, None, None]
        image = (1 - sky) * np.array([0.35, 0.55, 0.85]) + sky * np.array([0.95, 0.85, 0.7])
        image = np.broadcast_to(image, (height_px, width_px, 3)).copy()
        for level, tone in ((0.5, (0.35, 0.42, 0.5)), (0.66, (0.25, 0.4, 0.25)), (0.82, (0.5, 0.42, 0.25))):
            hills = level * height_px + clouds(rng, 1, width_px, (1, 5))[0] * height_px * 0.14
            image[np.arange(height_px)[:, None] > hills[None]] = tone
    else:
        image = plate((0.82, 0.76, 0.66), height_px, width_px)
        for _ in range(6):
            center = (int(rng.integers(width_px // 6, width_px)), int(rng.integers(height_px // 4, height_px)))
            tone = [(0.75, 0.2, 0.12), (0.55, 0.62, 0.15), (0.85, 0.6, 0.15), (0.4, 0.15, 0.3)][int(rng.integers(4))]
            radius = max(3, min(height_px, width_px) // 6)
            cv2.circle(image, center, radius, shade(tone, 0.6), -1, cv2.LINE_AA)
            cv2.circle(image, (center[0] - 1, center[1] - 2), radius - 2, tone, -1, cv2.LINE_AA)
            cv2.circle(image, (center[0] - radius // 3, center[1] - radius // 3), max(1, radius // 5), WHITE, -1)
    return image + rng.normal(0, 0.03, image.shape)


def label_wrap(rng: np.random.Generator, rgb: Rgb) -> np.ndarray:
    """Once around a can, bottle or mug: bands, a brand, and a panel with print or a photo, twice."""
    image = plate(rgb, 256, 512)
    band = shade(rgb, 0.6) if rng.random() < 0.5 else ink_on(rgb)
    for y in rng.choice([22, 40, 216, 234], 2, replace=False):
        cv2.line(image, (0, int(y)), (511, int(y)), band, int(rng.integers(2, 7)))
    brand, goods = str(rng.choice(BRANDS)), str(rng.choice(GOODS))
    layout = rng.choice(["panel", "letters", "photo", "roundel"])
    for x in (128, 384):
        if layout == "panel":
            cv2.rectangle(image, (x - 60, 84), (x + 60, 176), CREAM, -1)
            cv2.rectangle(image, (x - 55, 89), (x + 55, 171), shade(rgb, 0.7), 2)
            write(rng, image, brand, (x, 116), 92, shade(rgb, 0.55) if sum(rgb) < 2.4 else INK)
            write(rng, image, goods, (x, 150), 88, INK)
        elif layout == "letters":
            write(rng, image, brand, (x, 110), 170, ink_on(rgb))
            write(rng, image, goods, (x, 170), 110, ink_on(rgb))
        elif layout == "photo":
            image[110:200, x - 62 : x + 62] = photo(rng, 90, 124)
            write(rng, image, brand, (x, 78), 140, ink_on(rgb))
        else:
            cv2.circle(image, (x, 128), 56, CREAM, -1, cv2.LINE_AA)
            cv2.circle(image, (x, 128), 50, shade(rgb, 0.7), 3, cv2.LINE_AA)
            write(rng, image, brand, (x, 128), 80, INK)
    return to_bytes(image * (1 + 0.02 * clouds(rng, 256, 512, (6, 12))[..., None]))


def carton(rng: np.random.Generator, rgb: Rgb) -> np.ndarray:
    """One side of a printed box: a brand, a stripe or photo, small print, a bar code."""
    image = plate(rgb)
    if rng.random() < 0.5:
        stripe = np.array([[0, 190], [256, 130], [256, 160], [0, 226]], np.int32)
        cv2.fillPoly(image, [stripe], shade(rgb, 0.65) if sum(rgb) > 0.5 else shade(rgb, 1.6), cv2.LINE_AA)
    if rng.random() < 0.5:
        image[100:180, 30:140] = photo(rng, 80, 110)
    write(rng, image, str(rng.choice(BRANDS)), (128, 56), 190, ink_on(rgb))
    write(rng, image, str(rng.choice(GOODS)), (178, 205), 110, ink_on(rgb))
    cv2.rectangle(image, (188, 216), (244, 248), WHITE, -1)
    for x in range(192, 242, 4):
        cv2.line(image, (x, 219), (x, 245), INK, int(rng.integers(1, 3)))
    return to_bytes(image * (1 + 0.03 * clouds(rng, 256, 256, (10, 10))[..., None]))


def cover(rng: np.random.Generator, rgb: Rgb) -> np.ndarray:
    """A book's cover: title, author, a frame, maybe a picture."""
    image = plate(rgb)
    ink = ink_on(rgb)
    if rng.random() < 0.7:
        cv2.rectangle(image, (12, 12), (243, 243), ink, 2)
    if rng.random() < 0.6:
        image[112:196, 64:192] = photo(rng, 84, 128)
    else:
        cv2.circle(image, (128, 152), 44, shade(rgb, 1.8 if sum(rgb) < 0.5 else 0.6), -1, cv2.LINE_AA)
    write(rng, image, str(rng.choice(TITLES)), (128, 62), 196, ink)
    write(rng, image, str(rng.choice(AUTHORS)), (128, 222), 110, ink)
    return to_bytes(image)


def ball_print(rng: np.random.Generator, rgb: Rgb) -> np.ndarray:
    """Seams, a band or stars around a ball."""
    image, line = plate(rgb, 256, 512), ink_on(rgb)
    sort = rng.choice(["seams", "band", "stars"])
    if sort == "seams":
        line = INK if sum(rgb) > 0.5 else WHITE
        for x in (0, 128, 256, 384):
            cv2.line(image, (x, 0), (x, 255), line, 5)
        cv2.line(image, (0, 128), (511, 128), line, 4)
    elif sort == "band":
        cv2.rectangle(image, (0, 110), (511, 146), line, -1)
        for x in (128, 384):
            write(rng, image, str(rng.choice(BRANDS)), (x, 128), 110, rgb)
    else:
        for x in range(32, 512, 96):
            for y in (70, 128, 186):
                cv2.drawMarker(image, (x + (y // 4) % 32, y), line, cv2.MARKER_STAR, 26, 5, cv2.LINE_AA)
    return to_bytes(image)


def table_top(rng: np.random.Generator, textured: bool) -> np.ndarray:
    """What a table shows: boards; or where `textured`, also checks, stripes, flowers or marble."""
    sorts = ["boards", "gingham", "stripes", "flowers", "marble", "tiles"] if textured else ["plain", "boards"]
    sort = rng.choice(sorts)
    if sort == "boards":
        return wood(rng, planks=int(rng.choice([1, 2, 4])))
    ground = plate([(0.86, 0.84, 0.8), (0.62, 0.66, 0.7), (0.8, 0.74, 0.62), (0.5, 0.52, 0.5), (0.72, 0.8, 0.78)][
        int(rng.integers(5))
    ])  # fmt: skip
    tone = [(0.6, 0.3, 0.3), (0.35, 0.42, 0.6), (0.4, 0.5, 0.4), (0.5, 0.45, 0.4)][int(rng.integers(4))]
    rows, columns = np.mgrid[0:256, 0:256]
    if sort == "gingham":
        share = ((rows // 32 % 2) + (columns // 32 % 2))[..., None] / 2
        ground = ground * (1 - 0.6 * share) + np.array(tone) * 0.6 * share
    elif sort == "stripes":
        share = (columns // 21 % 4 == 0)[..., None] * 0.7
        ground = ground * (1 - share) + np.array(tone) * share
    elif sort == "flowers":
        for _ in range(14):
            center = rng.integers(0, 256, 2)
            for turn in np.arange(5) * 1.257:
                leaf = (int(center[0] + 9 * np.cos(turn)), int(center[1] + 9 * np.sin(turn)))
                cv2.circle(ground, leaf, 6, tone, -1, cv2.LINE_AA)
            cv2.circle(ground, (int(center[0]), int(center[1])), 4, (0.85, 0.75, 0.4), -1, cv2.LINE_AA)
    elif sort == "marble":
        veins = np.abs(np.sin(rows / 40 + columns / 60 + clouds(rng, 256, 256, (5, 5)) * 3))
        ground = ground * (0.75 + 0.25 * np.sqrt(veins)[..., None])
    elif sort == "tiles":
        joint = ((rows % 64 < 3) | (columns % 64 < 3))[..., None]
        ground = np.where(joint, ground * 0.6, ground * (1 + 0.05 * clouds(rng, 256, 256, (4, 4))[..., None]))
    return to_bytes(ground * (1 + 0.03 * clouds(rng, 256, 256, (60, 60))[..., None]))


def wall(rng: np.random.Generator, textured: bool) -> np.ndarray:
    """Plaster; or where `textured`, also bricks, wallpaper or a wall with pictures."""
    tone = [(0.78, 0.76, 0.72), (0.6, 0.66, 0.7), (0.72, 0.7, 0.6), (0.55, 0.56, 0.6), (0.75, 0.68, 0.64)][
        int(rng.integers(5))
    ]
    image = plate(tone, 256, 512)
    sort = rng.choice(["plaster", "bricks", "paper", "pictures"]) if textured else "plaster"
    rows, columns = np.mgrid[0:256, 0:512]
    if sort == "bricks":
        shift = columns + (rows // 16 % 2) * 20
        joint = ((rows % 16 < 2) | (shift % 40 < 2))[..., None]
        image = np.where(
            joint, image, np.array([0.58, 0.36, 0.29]) * (1 + 0.2 * clouds(rng, 256, 512, (16, 13))[..., None])
        )
    elif sort == "paper":
        image *= 1 - 0.12 * (columns // 16 % 2)[..., None]
    elif sort == "pictures":
        for x in rng.choice([30, 130, 230, 330, 420], 3, replace=False):
            height, width = int(rng.integers(40, 80)), int(rng.integers(40, 70))
            image[90 : 96 + height + 6, x : x + width + 12] = (0.2, 0.16, 0.12)
            image[96 : 96 + height, x + 6 : x + 6 + width] = photo(rng, height, width)
    return to_bytes(image * (1 + 0.03 * clouds(rng, 256, 512, (40, 80))[..., None]))
