"""An off-screen picture that MuJoCo draws into: its colors, its depth, and a number for what every pixel shows."""

from __future__ import annotations

import atexit
import os
from weakref import WeakSet

try:
    import mujoco
except (ImportError, AttributeError, OSError) as error:
    raise ImportError(
        f"MuJoCo cannot draw off screen with MUJOCO_GL={os.environ['MUJOCO_GL']}: {error}. "
        "Install MuJoCo with `pip install mujoco` and OSMesa with `apt-get install libosmesa6`."
    ) from error

import numpy as np

_FLAGS = mujoco.mjtRndFlag
_ON = [flag.value for flag in (_FLAGS.mjRND_SEGMENT, _FLAGS.mjRND_IDCOLOR)]
_OFF = [flag.value for flag in (_FLAGS.mjRND_SHADOW, _FLAGS.mjRND_REFLECTION, _FLAGS.mjRND_SKYBOX, _FLAGS.mjRND_HAZE)]

_OPEN: WeakSet[Canvas] = WeakSet()


def cast_no_shadow(geom: mujoco.MjvGeom) -> None:
    """Let a geom of a scene cast no shadow, as decorations cast none: MuJoCo 3 (Python 3.10) has no switch for it."""
    geom.category = mujoco.mjtCatBit.mjCAT_DECOR.value


class Canvas:
    """The drawing context of one model; `mujoco.Renderer` without the work that nobody needs here.

    Attributes:
        scene: What is drawn; geoms may be added to it after `update`.
    """

    def __init__(self, model: mujoco.MjModel, width_px: int, height_px: int, max_geoms: int) -> None:
        self._model = model
        self._size = (width_px, height_px)
        self.scene = mujoco.MjvScene(model=model, maxgeom=max_geoms)
        self._rect = mujoco.MjrRect(0, 0, width_px, height_px)
        self._option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type, self._camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        self._gl = mujoco.GLContext(width_px, height_px)
        self._gl.make_current()
        self._context: mujoco.MjrContext | None = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        _OPEN.add(self)

    def close(self) -> None:
        """Release the context; nothing can be drawn any more. May be called twice."""
        if self._context is not None:
            self._gl.make_current()
            self._context.free()
            self._context = None
            self._gl.free()

    def update(self, data: mujoco.MjData) -> None:
        """Fill the scene with the model's own geoms and lights, seen by its first camera."""
        every = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._option, None, self._camera, every, self.scene)

    def color(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        pixels = self._pixels()
        self._draw(pixels, None)
        return np.ascontiguousarray(pixels[::-1])

    def numbers(self) -> np.ndarray:
        """(H, W) uint16: 1 + `segid` of the geom that a pixel shows, 0 where there is none."""
        pixels = self._pixels()
        self._plainly(pixels, None)
        low, high = pixels[::-1, :, 0], pixels[::-1, :, 1]
        return low + (high.astype(np.uint16) << 8)

    def depth_m(self) -> np.ndarray:
        """(H, W) float32, meters along the optical axis."""
        buffer = np.empty(self._size[::-1], np.float32)
        self._plainly(None, buffer)
        near, far = (
            float(np.float32(limit * self._model.stat.extent))
            for limit in (self._model.vis.map.znear, self._model.vis.map.zfar)
        )
        # MuJoCo draws with reversed depth: 1 at the near plane, 0 at the far one.
        share = buffer[::-1].astype(np.float64)
        return (near * far / (near + share * (far - near))).astype(np.float32)

    def _pixels(self) -> np.ndarray:
        return np.empty((self._size[1], self._size[0], 3), np.uint8)

    def _draw(self, pixels: np.ndarray | None, depth: np.ndarray | None) -> None:
        if self._context is None:
            raise RuntimeError("the canvas is closed")
        self._gl.make_current()
        mujoco.mjr_render(self._rect, self.scene, self._context)
        mujoco.mjr_readPixels(pixels, depth, self._rect, self._context)

    def _plainly(self, pixels: np.ndarray | None, depth: np.ndarray | None) -> None:
        """Draw geoms in the color of their number, without light and shadows."""
        flags = self.scene.flags
        before = flags.copy()
        flags[_ON] = True
        flags[_OFF] = False
        try:
            self._draw(pixels, depth)
        finally:
            flags[:] = before


@atexit.register
def _close_all() -> None:
    """What nobody closed goes before the interpreter does: MuJoCo would look for libraries that are gone by then."""
    for canvas in tuple(_OPEN):
        canvas.close()
