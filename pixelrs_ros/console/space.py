"""The last turn's targets in space: their points, their boxes, and both in words."""

from __future__ import annotations

from html import escape

import numpy as np
from nicegui import ui

from pixelrs_ros.console.parts import folded
from pixelrs_ros.console.words import css_color
from pixelrs_ros.overlay import color_of
from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.ros.console.views import CloudView, Point, TargetView

# From the camera's optical frame (x right, y down, z forward) to the scene's (x right, y forward, z up).
_TO_SCENE = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
_EDGES = [(a, a | bit) for a in range(8) for bit in (1, 2, 4) if not a & bit]
_POINT_M = 0.004
_WIDTH_PX, _HEIGHT_PX = 560, 360
_VIEW = np.array([0.5, -0.7, 0.5])  # direction from what is looked at to the eye
_NEAR_M = 0.005


class SpacePanel:
    """The targets in space. The picture is drawn once the panel has been opened: it needs a graphics card."""

    def __init__(self, node: ConsoleNode) -> None:
        self._node = node
        self._shown: tuple[str, CloudView | None, tuple[TargetView, ...]] = "", None, ()
        self._scene: ui.scene | None = None
        with folded("In space", "space-title") as details:
            self._place = ui.element("div")
            self._table = ui.html(sanitize=False, tag="div")
        details.on("toggle", self._open, args=[])
        self.refresh("", ())

    def refresh(self, session_id: str, targets: tuple[TargetView, ...]) -> None:
        """Show where the targets of a dialogue's last turn that found any are."""
        shown = session_id, self._node.clouds.get(session_id), targets
        if shown[0] == self._shown[0] and shown[1] is self._shown[1] and targets == self._shown[2] and session_id:
            return
        self._shown = shown
        self._table.set_content(table(targets))
        self._draw()

    def _open(self) -> None:
        if self._scene is None:
            with self._place:
                camera = ui.scene.perspective_camera(near=_NEAR_M)
                self._scene = ui.scene(_WIDTH_PX, _HEIGHT_PX, grid=False, camera=camera, background_color="#20262c")
                self._scene.props('role=img aria-label="Points and boxes of the targets; the table says the same"')
            self._draw()

    def _draw(self) -> None:
        if self._scene is None:
            return
        _, cloud, targets = self._shown
        self._scene.clear()
        with self._scene:
            if cloud is not None and len(cloud.points_m):
                points_m = (cloud.points_m @ _TO_SCENE.T).tolist()
                self._scene.point_cloud(points_m, cloud.colors.tolist(), point_size=_POINT_M)
            for index, target in enumerate(targets):
                corners = [(_TO_SCENE @ corner).tolist() for corner in target.corners_m]
                for start, end in _EDGES if corners else ():
                    self._scene.line(corners[start], corners[end]).material(css_color(color_of(index)))
        if any(target.corners_m for target in targets):
            corners_m = np.array([corner for target in targets for corner in target.corners_m]) @ _TO_SCENE.T
            middle = (corners_m.min(axis=0) + corners_m.max(axis=0)) / 2
            distance_m = 2.5 * float(np.linalg.norm(corners_m - middle, axis=1).max())
            (x, y, z), (look_x, look_y, look_z) = (middle + distance_m * _VIEW).tolist(), middle.tolist()
            self._scene.move_camera(x, y, z, look_x, look_y, look_z, duration=0)


def table(targets: tuple[TargetView, ...]) -> str:
    """The targets' places and sizes as HTML."""
    if not targets:
        return "<p>Nothing is known of any target: the next turn that finds one shows it here.</p>"
    rows = "".join(
        f'<tr><th scope="row">{escape(target.phrase)}</th><td>{centimeters(target.centroid_m)}</td>'
        f"<td>{centimeters(target.size_m)}</td><td>{target.score:.2f}</td></tr>"
        for target in targets
    )
    head = '<th scope="col">target</th><th scope="col">place</th><th scope="col">size</th><th scope="col">score</th>'
    return (
        f'<table class="facts"><caption>In the camera\'s frame, x right, y down, z forward, in cm</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def centimeters(point_m: Point | None) -> str:
    """Three lengths for people."""
    return "not measured" if point_m is None else ", ".join(f"{100 * value:.1f}" for value in point_m)
