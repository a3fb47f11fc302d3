"""From the language model's coordinates to the picture's pixels."""

from __future__ import annotations

from dataclasses import dataclass

from pixelrs_ros.engine.vlm.answer import Named
from pixelrs_ros.errors import AnswerError
from pixelrs_ros.types import Point

THOUSAND = 1000.0
_OUTSIDE = 1.02  # a box may reach beyond the picture by so much of its side before it is nonsense


@dataclass(frozen=True)
class Scale:
    """What the language model's coordinates are multiplied by.

    Attributes:
        x: Pixels of the picture for one of the model's units.
        y: Likewise.
        width_px: The picture's width.
        height_px: The picture's height.
    """

    x: float
    y: float
    width_px: int
    height_px: int

    @classmethod
    def of_thousandths(cls, width_px: int, height_px: int) -> Scale:
        """Qwen3-VL's: 0 to 1000 along each side, whatever its length."""
        return cls(width_px / THOUSAND, height_px / THOUSAND, width_px, height_px)

    @classmethod
    def of_shown_pixels(cls, shown: tuple[int, int], width_px: int, height_px: int) -> Scale:
        """Qwen2.5-VL's: pixels of the picture as it was shown, (width, height)."""
        return cls(width_px / shown[0], height_px / shown[1], width_px, height_px)

    def told(self, point: Point) -> str:
        """A place in the picture, px, as the model writes a `point_2d`."""
        return f"[{round(point[0] / self.x)}, {round(point[1] / self.y)}]"

    def prompt(self, named: Named) -> Prompt:
        """The box and the point in pixels, cut to the picture.

        Raises:
            AnswerError: There is neither of them, the box is empty, or one lies far outside.
        """
        if named.bbox_2d is None and named.point_2d is None:
            raise AnswerError(f"{named.phrase!r} has neither bbox_2d nor point_2d")
        box = point = None
        if named.bbox_2d is not None:
            x0, y0 = self._inside(*named.bbox_2d[:2], named)
            x1, y1 = self._inside(*named.bbox_2d[2:], named)
            if x1 <= x0 or y1 <= y0:
                raise AnswerError(f"bbox_2d {list(named.bbox_2d)} of {named.phrase!r} is empty")
            box = (x0, y0, x1, y1)
        if named.point_2d is not None:
            point = self._inside(*named.point_2d, named)
        return Prompt(box, point)

    def _inside(self, x: float, y: float, named: Named) -> tuple[float, float]:
        x, y = x * self.x, y * self.y
        for value, side in ((x, self.width_px), (y, self.height_px)):
            if not (1 - _OUTSIDE) * side <= value <= _OUTSIDE * side:
                raise AnswerError(
                    f"({x:.0f}, {y:.0f}) px of {named.phrase!r} lies outside of the picture of "
                    f"{self.width_px}x{self.height_px} px"
                )
        return min(max(x, 0.0), float(self.width_px)), min(max(y, 0.0), float(self.height_px))


@dataclass(frozen=True)
class Prompt:
    """What SAM is given: (x0, y0, x1, y1) and (x, y) in px of the picture, at least one of them."""

    box: tuple[float, float, float, float] | None
    point: Point | None

    def at(self, point: Point) -> Prompt:
        """With a place where somebody has pointed, if that lies in the box and no other is known."""
        if self.box is None or self.point is not None:
            return self
        x0, y0, x1, y1 = self.box
        return Prompt(self.box, point) if x0 <= point[0] < x1 and y0 <= point[1] < y1 else self
