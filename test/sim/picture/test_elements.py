import numpy as np

from pixelrs_ros.sim.picture.elements import elements, well_posed
from pixelrs_ros.sim.picture.render import View
from pixelrs_ros.sim.scene.scene import SceneObject


def a_view(*boxes: tuple[str, str, tuple[int, int, int, int], int]) -> View:
    """Rectangles (kind, color, (x0, y0, x1, y1), first column of the second part) in a picture of 100×80 px."""
    object_ids = np.zeros((80, 100), np.uint8)
    part_ids = np.zeros((80, 100), np.uint8)
    things = []
    for number, (kind, color, (x0, y0, x1, y1), cut) in enumerate(boxes, start=1):
        object_ids[y0:y1, x0:x1] = number
        part_ids[y0:y1, x0:cut] = 1
        part_ids[y0:y1, cut:x1] = 2
        things.append(SceneObject(number, kind, color, 0, ()))
    image = np.zeros((80, 100, 3), np.uint8)
    return View(
        image=image,
        depth_m=None,
        intrinsics=np.eye(3),
        object_ids=object_ids,
        part_ids=part_ids,
        objects=tuple(things),
    )


def test_lists_what_is_visible_with_its_parts() -> None:
    view = a_view(("mug", "red", (10, 20, 40, 40), 32), ("knife", "blue", (50, 50, 80, 70), 75))
    mug, knife = elements(view)
    assert (mug.label, mug.area_px, mug.box_px) == ("red mug", 600, (10, 20, 40, 40))
    assert mug.center_px == (24.5, 29.5)
    assert mug.parts == {"body": 440, "handle": 160}
    assert knife.parts == {"blade": 500}, "a handle of 100 px is too little to be talked about"
    assert mug.part_label("handle") == "handle of the red mug"


def test_a_scene_is_well_posed_unless_something_is_half_hidden() -> None:
    plain, sliver, half = (10, 20, 40, 40), (50, 50, 55, 55), (50, 50, 60, 60)
    assert well_posed(a_view(("mug", "red", plain, 32), ("can", "blue", sliver, 55)))
    assert not well_posed(a_view(("mug", "red", plain, 32), ("can", "blue", half, 60)))
    assert len(elements(a_view(("mug", "red", plain, 32), ("can", "blue", sliver, 55)))) == 1
