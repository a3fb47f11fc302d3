"""Meshes in Wavefront's OBJ format and their materials, written so that Gazebo's loader takes them.

Every corner has a normal and a place in its material's picture: the loader reads past its tables where some have none.
Every material has a picture, also one of a single color: Gazebo takes pictures for sRGB and bare colors for linear
light, and what has only a color would come out paler. Colors are in the pictures, for the loader cuts them off at 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelrs_ros import files, pictures
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.sim.gazebo.surfaces import Surface

MATERIALS_FILE = "materials.mtl"
_FULL_SHINE = 128.0  # what OpenGL's largest exponent of a highlight is


@dataclass(frozen=True, eq=False)
class Material:
    """What a surface is made of.

    Attributes:
        name: Of the material and of its picture's file.
        picture: (H, W, 3) uint8 RGB.
        specular: Strength of the highlight, in [0, 1].
        shininess: How small the highlight is, in [0, 1].
        glow: How much of its color it has without any light, in [0, 1].
    """

    name: str
    picture: np.ndarray
    specular: float
    shininess: float
    glow: float = 0.0

    @property
    def _linear_color(self) -> float:
        """Of the picture, the mean over pixels and channels, in [0, 1]."""
        srgb = self.picture / 255.0
        return float(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).mean())


def write_materials(folder: Path, materials: Sequence[Material]) -> None:
    """Write the library of materials, and their pictures beside it.

    Raises:
        OutputError: A file cannot be written.
    """
    lines = []
    for material in materials:
        files.write_picture(folder / f"{material.name}.png", material.picture)
        emitted = material.glow * material._linear_color
        exponent = max(_FULL_SHINE * material.shininess, 1.0)
        roughness = np.sqrt(2 / (exponent + 2))  # of the same width in the microfacet model
        lines += [
            f"newmtl {material.name}",
            "Ka 1 1 1",
            "Kd 1 1 1",
            _line("Ks", [material.specular] * 3),
            _line("Ke", [emitted] * 3),
            _line("Ns", [exponent]),
            _line("Pr", [roughness]),
            "Pm 0",
            f"map_Kd {material.name}.png",
            "",
        ]
    files.write_file(folder / MATERIALS_FILE, "\n".join(lines))


def read_materials(path: Path) -> dict[str, Material]:
    """The materials of a library, by name.

    Raises:
        DataError: It is no library as `write_materials` writes it.
    """
    entries: dict[str, dict[str, str]] = {}
    for words in _words(path):
        if words[0] == "newmtl":
            entry = entries.setdefault(words[1], {})
        else:
            entry[words[0]] = words[1]
    found = {}
    for name, entry in entries.items():
        try:
            picture = pictures.read_picture(path.parent / entry["map_Kd"])
            specular, emitted, exponent = (float(entry[key]) for key in ("Ks", "Ke", "Ns"))
        except (BadInputError, KeyError, ValueError) as error:
            raise DataError(f"{path}: material {name}: {error}") from error
        dark = Material(name, picture, specular, exponent / _FULL_SHINE)
        color = dark._linear_color
        found[name] = Material(name, picture, specular, dark.shininess, emitted / color if color else 0.0)
    return found


def write_mesh(path: Path, surfaces: Sequence[Surface]) -> None:
    """Write the surfaces as one mesh whose materials stand in `MATERIALS_FILE` beside it.

    Raises:
        OutputError: The file cannot be written.
    """
    lines, faces = [f"mtllib {MATERIALS_FILE}"], []
    columns = []
    for key, values, digits in (
        ("v", [surface.corners for surface in surfaces], 5),
        ("vt", [surface.texels * [1, -1] + [0, 1] for surface in surfaces], 5),
        ("vn", [surface.normals for surface in surfaces], 3),
    ):
        rows = np.concatenate([value.reshape(-1, value.shape[-1]) for value in values])
        unique, index = np.unique(np.round(rows, digits) + 0.0, axis=0, return_inverse=True)
        lines += [_line(key, row) for row in unique]
        columns.append(index.reshape(-1, 3) + 1)
    first = 0
    for surface in surfaces:
        faces.append(f"usemtl {surface.material}")
        for row in range(first, first + len(surface.corners)):
            corners = zip(*(column[row] for column in columns), strict=True)
            faces.append("f " + " ".join(f"{v}/{vt}/{vn}" for v, vt, vn in corners))
        first += len(surface.corners)
    files.write_file(path, "\n".join([*lines, f"o {path.stem}", *faces, ""]))


def read_mesh(path: Path) -> list[Surface]:
    """The surfaces of a mesh of triangles, one for each material.

    Raises:
        DataError: It is no mesh as `write_mesh` writes it.
    """
    tables: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    faces: dict[str, list[list[list[int]]]] = {}
    try:
        for words in _words(path):
            if words[0] in tables:
                tables[words[0]].append([float(word) for word in words[1:]])
            elif words[0] == "usemtl":
                rows = faces.setdefault(words[1], [])
            elif words[0] == "f":
                rows.append([[int(number) - 1 for number in corner.split("/")] for corner in words[1:]])
        corners, texels, normals = (np.array(tables[key]) for key in ("v", "vt", "vn"))
        surfaces = []
        for material, triangles in faces.items():
            index = np.array(triangles).reshape(-1, 3, 3)
            places = texels[index[..., 1]] * [1, -1] + [0, 1]
            surfaces.append(Surface(material, corners[index[..., 0]], normals[index[..., 2]], places))
    except (IndexError, UnboundLocalError, ValueError) as error:
        raise DataError(f"{path}: no mesh of triangles with normals and texture coordinates: {error}") from error
    return surfaces


def _line(key: str, values: Sequence[float] | np.ndarray) -> str:
    return " ".join([key, *(f"{value:.5f}".rstrip("0").rstrip(".") for value in values)])


def _words(path: Path) -> list[list[str]]:
    """The words of every line that has some."""
    try:
        return [words for line in path.read_text(encoding="utf-8").splitlines() if (words := line.split())]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from error
