"""Where the simulated camera says that it is."""

import sys
import time

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from tf_stand_in import TfStandIn

from pixelrs_ros.evaluation.space import targets
from pixelrs_ros.geometry.camera import Camera
from pixelrs_ros.geometry.rigid import RigidTransform
from pixelrs_ros.geometry.target import GeometryStatus, locate
from pixelrs_ros.ros.demo.script import scene_of
from pixelrs_ros.ros.demo.sim_camera import FRAME_ID, WORLD, SimCamera
from pixelrs_ros.ros.perception.locating import calibration_from_info, depth_from_image
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.scene.household import bounds_m, household_scale

DEADLINE_S = 20.0
SCENE_SEED, CAMERA_SEED = 910_003, 5


def test_things_stand_in_the_world_where_they_were_put(monkeypatch: pytest.MonkeyPatch) -> None:
    tf = TfStandIn()
    monkeypatch.setitem(sys.modules, "tf2_ros", tf)
    scene = scene_of(SCENE_SEED, CAMERA_SEED)
    scale = household_scale(scene)
    rclpy.init()
    depths: list[Image] = []
    infos: list[CameraInfo] = []
    with Renderer() as renderer:
        view = renderer.render(scene, depth=True)
        seeds = {"scene_seed": SCENE_SEED, "camera_seed": CAMERA_SEED}
        camera = SimCamera(renderer, parameter_overrides=[Parameter(name, value=seed) for name, seed in seeds.items()])
        node = Node("listener")
        node.create_subscription(Image, "depth", depths.append, qos_profile_sensor_data)
        node.create_subscription(CameraInfo, "camera_info", infos.append, qos_profile_sensor_data)
        executor = SingleThreadedExecutor()
        for each in (camera, node):
            executor.add_node(each)
        ends_s = time.monotonic() + DEADLINE_S
        while not (depths and infos):
            assert time.monotonic() < ends_s, "no picture comes"
            executor.spin_once(timeout_sec=0.05)
        executor.shutdown()
        node.destroy_node()
        camera.destroy_node()
    rclpy.shutdown()
    (place,) = (sent for sent in tf.sent if sent.header.stamp == depths[0].header.stamp)
    assert (place.header.frame_id, place.child_frame_id) == (WORLD, depths[0].header.frame_id) == (WORLD, FRAME_ID)
    offset, turn = place.transform.translation, place.transform.rotation
    in_world = RigidTransform((offset.x, offset.y, offset.z), (turn.x, turn.y, turn.z, turn.w))
    depth_m, seen_by = depth_from_image(depths[0]), Camera.from_calibration(calibration_from_info(infos[0]))
    wholes = [target for target in targets(view) if target.part is None]
    assert len(wholes) >= 2
    for target in wholes:
        (thing,) = (thing for thing in scene.objects if thing.object_id == target.object_id)
        low_m, high_m = (scale * corner for corner in bounds_m(thing.geoms))
        geometry = locate(view.mask(target.object_id), depth_m, seen_by)
        assert geometry.status is GeometryStatus.MEASURED
        points_m = np.array([in_world.point(point_m) for point_m in geometry.points_m])
        inside = ((points_m > low_m - 2e-3) & (points_m < high_m + 2e-3)).all(axis=1)
        assert np.mean(inside) > 0.99, thing
