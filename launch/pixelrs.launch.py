r"""The perception node, for a robot that brings its own camera; with speech:=true, console:=true or grasps:=true more.

ros2 launch pixelrs_ros pixelrs.launch.py namespace:=robot1 image:=/robot1/camera/color/image_raw \
    depth:=/robot1/camera/aligned_depth_to_color/image_raw camera_info:=/robot1/camera/color/camera_info
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.substitutions import FindPackageShare

from pixelrs_ros.ros.parameters.layers import ARGUMENTS, NOT_GIVEN, PROFILES, choices, layers

# The node ends its turn, says so to whoever waits for it, and closes its store; after this it is killed.
STOP_TIMEOUT_S = "20"
RESPAWN_DELAY_S = 2.0


def shipped(name: str) -> PathJoinSubstitution:
    """A file in the package's folder `config`."""
    return PathJoinSubstitution([FindPackageShare("pixelrs_ros"), "config", name])


def generate_launch_description() -> LaunchDescription:
    """Describes one perception node and the arguments to place it."""
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node and of its topics."),
        DeclareLaunchArgument(
            "profile",
            default_value=NOT_GIVEN,
            choices=[NOT_GIVEN, *PROFILES],
            description="Parameters for a kind of machine, below those of params_file. Not given: the node's defaults.",
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=NOT_GIVEN,
            description="YAML file of its parameters. Not given: as profile says.",
        ),
        DeclareLaunchArgument(
            "respawn",
            default_value="true",
            choices=["true", "false"],
            description=f"Start the node again {RESPAWN_DELAY_S:g} s after it has died; its dialogues go on.",
        ),
        DeclareLaunchArgument("image", default_value="image", description="Topic of the camera's images."),
        DeclareLaunchArgument(
            "depth", default_value="depth", description="Topic of the depth images, registered to the camera's images."
        ),
        DeclareLaunchArgument("camera_info", default_value="camera_info", description="Topic of its intrinsics."),
        DeclareLaunchArgument(
            "speech", default_value="false", choices=["true", "false"], description="Start the speech node too."
        ),
        DeclareLaunchArgument(
            "speech_params_file", default_value=shipped("speech.yaml"), description="YAML file of its parameters."
        ),
        DeclareLaunchArgument("audio", default_value="audio", description="Topic of the sound that it listens to."),
        DeclareLaunchArgument(
            "console", default_value="false", choices=["true", "false"], description="Serve the operator page too."
        ),
        DeclareLaunchArgument(
            "console_params_file", default_value=shipped("console.yaml"), description="YAML file of its parameters."
        ),
        DeclareLaunchArgument(
            "grasps", default_value="false", choices=["true", "false"], description="Start the planner of grasps too."
        ),
        *(
            DeclareLaunchArgument(
                name,
                default_value=NOT_GIVEN,
                choices=choices(name),
                description=f"{description} Not given: as params_file says.",
            )
            for name, description in ARGUMENTS.items()
        ),
    ]
    speech = Node(
        package="pixelrs_ros",
        executable="speech",
        name="speech",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("speech_params_file")],
        remappings=[("audio", LaunchConfiguration("audio"))],
        condition=IfCondition(LaunchConfiguration("speech")),
        output="screen",
    )
    console = Node(
        package="pixelrs_ros",
        executable="console",
        name="console",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("console_params_file")],
        remappings=[("image", LaunchConfiguration("image"))],
        condition=IfCondition(LaunchConfiguration("console")),
        output="screen",
    )
    grasps = Node(
        package="pixelrs_ros",
        executable="grasp_planner",
        name="grasp_planner",
        namespace=LaunchConfiguration("namespace"),
        remappings=[(topic, LaunchConfiguration(topic)) for topic in ("depth", "camera_info")],
        condition=IfCondition(LaunchConfiguration("grasps")),
        output="screen",
    )
    return LaunchDescription([*arguments, OpaqueFunction(function=perception), speech, console, grasps])


def perception(context: LaunchContext) -> list[LifecycleNode]:
    """The node, once it is known which arguments were given."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    profile, params_file, speech = (
        LaunchConfiguration(name).perform(context) for name in ("profile", "params_file", "speech")
    )
    files = ["launch.yaml", *(["launch_speech.yaml"] if speech == "true" else [])]
    files += [f"profiles/{profile}.yaml"] if profile else []
    return [
        LifecycleNode(
            package="pixelrs_ros",
            executable="perception",
            name="perception",
            namespace=LaunchConfiguration("namespace"),
            parameters=layers([shipped(name) for name in files] + ([params_file] if params_file else []), given),
            remappings=[(topic, LaunchConfiguration(topic)) for topic in ("image", "depth", "camera_info")],
            respawn=LaunchConfiguration("respawn"),
            respawn_delay=RESPAWN_DELAY_S,
            sigterm_timeout=STOP_TIMEOUT_S,
            output="screen",
        )
    ]
