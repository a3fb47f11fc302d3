"""What the canvas uses of MuJoCo is there in the version for Python 3.10, too."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pixelrs_ros.sim.picture.canvas import Canvas, cast_no_shadow, mujoco

ROOT = Path(__file__).resolve().parents[3]
TABLE = """
<mujoco>
  <visual><global offwidth="64" offheight="64"/></visual>
  <worldbody>
    <light pos="0 0 4" dir="0.3 0 -1" directional="true" castshadow="true"/>
    <camera pos="0 0 3"/>
    <geom name="floor" type="plane" size="2 2 0.1"/>
    <geom name="box" type="box" size="0.2 0.2 0.2" pos="0 0 0.6"/>
  </worldbody>
</mujoco>
"""


class GeomOf3:
    """The members of MjvGeom in MuJoCo 3.17."""

    __slots__ = (
        "camdist", "category", "dataid", "emission", "label", "mat", "matid", "modelrbound", "objid", "objtype", "pos",
        "reflectance", "rgba", "segid", "shininess", "size", "specular", "texcoord", "texid", "texrepeat", "texuniform",
        "transparent", "type",
    )  # fmt: skip


@pytest.mark.parametrize("plain", [False, True])
def test_what_is_to_cast_no_shadow_casts_none(plain: bool) -> None:
    model = mujoco.MjModel.from_xml_string(TABLE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    canvas = Canvas(model, 64, 64, 10)
    canvas.update(data)
    for geom in canvas.scene.geoms[: canvas.scene.ngeom]:
        if plain:
            cast_no_shadow(geom)
    floor = canvas.color()[:, :, 0][canvas.numbers() == 1]
    canvas.close()
    darkened = int((floor < 0.7 * np.median(floor)).sum())
    assert (darkened == 0) is plain


def test_that_needs_nothing_that_only_mujoco_4_has() -> None:
    cast_no_shadow(GeomOf3())
    names: set[str] = set()
    for path in (ROOT / "pixelrs_ros").rglob("*.py"):
        names |= set(re.findall(r"(\w+)\.castshadow\b", path.read_text(encoding="utf-8")))
    assert names == {"light"}, "geoms have this switch in MuJoCo 4 only"
