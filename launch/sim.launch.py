r"""A seeded table in Gazebo, the perception node looking at it, and a scorer that knows the truth.

ros2 launch pixelrs_ros sim.launch.py seed:=3 gazebo:=harmonic play:=true headless:=true rviz:=false

Needs Gazebo and ros_gz_bridge (`apt-get install ros-$ROS_DISTRO-ros-gz`), and MuJoCo to make the world. What was run of
it, and what was not: docs/gazebo.md.
"""

import os
import shutil
from pathlib import Path

from ament_index_python.packages import get_packages_with_prefixes
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.events.process import ProcessExited
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node, SetParameter
from launch_ros.substitutions import FindPackageShare

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.layers import require_file
from pixelrs_ros.ros.wire.ros_context import room_for_images
from pixelrs_ros.sim.gazebo.labels import LABELS_FILE, CameraPlace, WorldTruth
from pixelrs_ros.sim.gazebo.releases import RELEASES, Release, release_of
from pixelrs_ros.sim.gazebo.world import write_world
from pixelrs_ros.sim.scene.scene import sample_scene

# When it is interrupted, the scorer still writes its report.
STOP_TIMEOUT_S = "60"
SWITCH = ["true", "false"]


def shipped(*names: str) -> PathJoinSubstitution:
    """A file of the package."""
    return PathJoinSubstitution([FindPackageShare("pixelrs_ros"), *names])


def generate_launch_description() -> LaunchDescription:
    """Describes simulator, bridge, robot and scorer, and the arguments to choose them."""
    arguments = [
        DeclareLaunchArgument(
            "gazebo",
            default_value=release_of(os.environ.get("ROS_DISTRO", "")),
            choices=list(RELEASES),
            description="Release of Gazebo. Default: the one that belongs to the sourced ROS 2.",
        ),
        DeclareLaunchArgument("seed", default_value="0", description="Of the scene, a whole number from 0."),
        DeclareLaunchArgument("out_dir", default_value="out/sim", description="Folder of the world and the report."),
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes."),
        DeclareLaunchArgument(
            "params_file",
            default_value=shipped("config", "sim.yaml"),
            description="YAML file of the parameters of the nodes.",
        ),
        DeclareLaunchArgument(
            "headless", default_value="false", choices=SWITCH, description="Run Gazebo without its window."
        ),
        DeclareLaunchArgument("rviz", default_value="true", choices=SWITCH, description="Show the answers in RViz."),
        DeclareLaunchArgument(
            "play",
            default_value="false",
            choices=SWITCH,
            description="Let an operator talk to the robot whose targets the scorer knows; it ends with the report.",
        ),
    ]
    namespace, params_file = LaunchConfiguration("namespace"), LaunchConfiguration("params_file")
    robot = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(shipped("launch", "pixelrs.launch.py")),
        launch_arguments={"namespace": namespace, "params_file": params_file}.items(),
    )
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        namespace=namespace,
        arguments=["-d", shipped("config", "pixelrs.rviz"), "-f", "world"],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    use_sim_time = SetParameter(name="use_sim_time", value=True)
    return LaunchDescription([*arguments, use_sim_time, OpaqueFunction(function=simulation), robot, rviz])


def simulation(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Makes the world; Gazebo, the bridge, where the camera is, the scorer, and an operator where one is wanted."""
    given = {
        name: LaunchConfiguration(name).perform(context)
        for name in ("gazebo", "seed", "out_dir", "namespace", "params_file", "headless", "play", "rviz")
    }
    release = RELEASES[given["gazebo"]]
    require_file("params_file", given["params_file"])
    _require_gazebo(given["gazebo"], ["ros_gz_bridge", "tf2_ros", *(["rviz2"] if given["rviz"] == "true" else [])])
    seed, folder = _seed(given["seed"]), Path(given["out_dir"]).resolve()
    world = write_world(sample_scene(seed), folder / "world", release)
    labels_file = world.parent / LABELS_FILE
    placed = {"namespace": given["namespace"], "output": "screen"}
    scorer = Node(
        package="pixelrs_ros",
        executable="scorer",
        name="scorer",
        parameters=[given["params_file"], {"labels_file": str(labels_file), "out_dir": str(folder)}],
        sigterm_timeout=STOP_TIMEOUT_S,
        on_exit=Shutdown(reason="the scorer has ended"),
        **placed,
    )
    operator = Node(
        package="pixelrs_ros",
        executable="operator",
        name="operator",
        parameters=[given["params_file"], {"first_scene_seed": seed}],
        on_exit=failed,
        **placed,
    )
    bridge = Node(
        package="ros_gz_bridge",
        executable="parameter_bridge",
        name="gz_bridge",
        parameters=[{"config_file": shipped("config", "gz_bridge.yaml")}],
        additional_env=room_for_images(),  # what sends the images must have the room; our own nodes see to theirs
        **placed,
    )
    return [
        _gazebo(release, world, headless=given["headless"] == "true"),
        bridge,
        _camera_frame(WorldTruth.read(labels_file).camera),
        scorer,
        *([operator] if given["play"] == "true" else []),
    ]


def _seed(text: str) -> int:
    """The seed of the scene.

    Raises:
        ConfigError: It is no whole number from 0.
    """
    if not (text.isascii() and text.isdecimal()):
        raise ConfigError(f"launch argument 'seed' is a whole number from 0, got {text!r}")
    return int(text)


def _require_gazebo(gazebo: str, packages: list[str]) -> None:
    """Refuse to start half a simulation.

    Raises:
        ConfigError: Gazebo's command or a package is not installed.
    """
    command = RELEASES[gazebo].command[0]
    missing = [] if shutil.which(command) else [f"the command {command!r} of Gazebo {gazebo.capitalize()}"]
    missing += [f"the package {name!r}" for name in packages if name not in get_packages_with_prefixes()]
    if missing:
        raise ConfigError(
            f"not installed: {', '.join(missing)}; remedy: apt-get install ros-$ROS_DISTRO-ros-gz "
            "ros-$ROS_DISTRO-tf2-ros ros-$ROS_DISTRO-rviz2, gazebo:= the release that is installed, or rviz:=false"
        )


def failed(event: ProcessExited, context: LaunchContext) -> list[Shutdown]:
    """After an operator that played to the end, the scorer ends by itself; after another one nobody tells it to."""
    return [Shutdown(reason="the operator has failed")] if event.returncode and not context.is_shutdown else []


def ended(_: ProcessExited, context: LaunchContext) -> list[Shutdown]:
    """Without Gazebo nothing goes on."""
    return [] if context.is_shutdown else [Shutdown(reason="Gazebo has ended")]


def _gazebo(release: Release, world: Path, *, headless: bool) -> ExecuteProcess:
    """Gazebo, running at once."""
    options = ["-r", *(["-s", "--headless-rendering"] if headless else [])]
    return ExecuteProcess(cmd=[*release.command, *options, str(world)], output="screen", on_exit=ended)


def _camera_frame(camera: CameraPlace) -> Node:
    names = (*"xyz", "roll", "pitch", "yaw")
    values = (*camera.position_m, *camera.roll_pitch_yaw)
    numbers = [word for name, value in zip(names, values, strict=True) for word in (f"--{name}", str(value))]
    return Node(
        package="tf2_ros",
        executable="static_transform_publisher",
        name="camera_frame",
        arguments=[*numbers, "--frame-id", "world", "--child-frame-id", camera.frame_id],
    )
