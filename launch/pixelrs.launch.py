r"""The perception node, for a robot that brings its own camera, and with speech:=true the speech node.

ros2 launch pixelrs_ros pixelrs.launch.py namespace:=robot1 image:=/robot1/camera/color/image_raw \
    depth:=/robot1/camera/aligned_depth_to_color/image_raw camera_info:=/robot1/camera/color/camera_info
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.substitutions import FindPackageShare

from pixelrs_ros.ros.parameters.layers import ARGUMENTS, NOT_GIVEN, choices, layers

# With speech, images back to the start of a sentence: ten seconds at 30 Hz. 640×480 in color and depth take 0.5 GB.
SPOKEN_FRAMES = 300


def shipped(name: str) -> PathJoinSubstitution:
    """A file in the package's folder `config`."""
    return PathJoinSubstitution([FindPackageShare("pixelrs_ros"), "config", name])


def generate_launch_description() -> LaunchDescription:
    """Describes one perception node and the arguments to place it."""
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node and of its topics."),
        DeclareLaunchArgument(
            "params_file", default_value=shipped("pixelrs.yaml"), description="YAML file of its parameters."
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
            "frame_buffer_size",
            default_value=NOT_GIVEN,
            description="Images that are kept, so that one of a sentence's start is still there at its end. "
            f"Not given: {SPOKEN_FRAMES} with speech, else as params_file says.",
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
    return LaunchDescription([*arguments, OpaqueFunction(function=perception), speech])


def perception(context: LaunchContext) -> list[LifecycleNode]:
    """The node, once it is known which arguments were given."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    frames = LaunchConfiguration("frame_buffer_size").perform(context)
    if frames == NOT_GIVEN and LaunchConfiguration("speech").perform(context) == "true":
        frames = str(SPOKEN_FRAMES)
    parameters = layers(shipped("launch.yaml"), LaunchConfiguration("params_file"), given)
    if frames != NOT_GIVEN:
        parameters.append({"frame_buffer_size": int(frames)})
    return [
        LifecycleNode(
            package="pixelrs_ros",
            executable="perception",
            name="perception",
            namespace=LaunchConfiguration("namespace"),
            parameters=parameters,
            remappings=[(topic, LaunchConfiguration(topic)) for topic in ("image", "depth", "camera_info")],
            output="screen",
        )
    ]
