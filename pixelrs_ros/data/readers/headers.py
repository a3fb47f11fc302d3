"""What a picture file says of itself before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from pixelrs_ros.errors import DataError

_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap height and width


@dataclass(frozen=True)
class Upright:
    """A picture as a viewer shows it.

    Attributes:
        size_px: (height, width), upright.
        orientation: EXIF's, 1 to 8; 1 where the file is stored upright.
    """

    size_px: tuple[int, int]
    orientation: int


def upright(path: Path) -> Upright:
    """Size and orientation of a picture file; its pixels are not decoded.

    Raises:
        DataError: It is missing, or no picture.
    """
    try:
        with Image.open(path) as picture:
            orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
            width, height = picture.size
    except FileNotFoundError as error:
        raise DataError(f"{path}: image is missing: no file of this name") from error
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a picture that can be read: {error}") from error
    orientation = orientation if orientation in range(1, 9) else 1
    return Upright((width, height) if orientation in _SIDEWAYS else (height, width), orientation)
