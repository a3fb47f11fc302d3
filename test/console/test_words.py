from html.parser import HTMLParser

import pytest

from pixelrs_ros.console.words import STATUS_WORDS, bars, css_color, ink_on, marked
from pixelrs_ros.overlay import COLORS, Color
from pixelrs_ros.types import GroundedPhrase, Status


class Reader(HTMLParser):
    """What a browser makes of HTML: its elements, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def contrast(one: Color, other: Color) -> float:
    def luminance(color: Color) -> float:
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in color]
        return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_each_phrase_stands_on_the_color_of_its_mask() -> None:
    html = marked("The mug and the pot.", [GroundedPhrase(12, 19, 1), GroundedPhrase(0, 7, 0)])
    first, second = map(css_color, COLORS[:2])
    assert html == (
        f'<mark style="background:{first};color:#000000">The mug</mark> and '
        f'<mark style="background:{second};color:#000000">the pot</mark>.'
    )


def test_a_phrase_within_another_keeps_the_others_color() -> None:
    html = marked("the handle of the mug", [GroundedPhrase(0, 21, 0), GroundedPhrase(14, 21, 1)])
    assert Reader(html).words == "the handle of the mug" and Reader(html).elements == ["mark"]


@pytest.mark.parametrize("words", ["<b>&amp;</b>", "<script>alert(1)</script>", "a 'quoted\" mug"])
def test_words_stay_words(words: str) -> None:
    found = Reader(marked(words, [GroundedPhrase(2, 5, 0)]))
    assert found.words == words and found.elements == ["mark"]
    assert Reader(bars({words: 1.0})).words.count(words) == 1


@pytest.mark.parametrize("color", COLORS)
def test_words_can_be_read_on_every_mask_color(color: Color) -> None:
    white = ink_on(color) == "#ffffff"
    level = 1.0 if white else 0.0
    red, green, blue = color
    assert contrast((red / 255, green / 255, blue / 255), (level, level, level)) >= 4.5  # type: ignore[arg-type]


def test_bars_are_shares_of_the_total() -> None:
    html = bars({"encode": 30.0, "masks": 10.0, "total": 40.0})
    assert [html.count(f"width:{share}%") for share in ("75.0", "25.0", "100.0")] == [1, 1, 1]
    assert Reader(html).words == "Where the time wentencode30 msmasks10 mstotal40 ms"


def test_there_is_a_word_for_every_status() -> None:
    assert STATUS_WORDS.keys() == set(Status)
