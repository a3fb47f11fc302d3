"""The perception node, for a robot that brings its own camera.

ros2 launch pixelrs_ros pixelrs.launch.py namespace:=robot1 image:=/robot1/camera/color/image_raw
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description() -> LaunchDescription:
    """Describes one perception node and the arguments to place it."""
    default_params = PathJoinSubstitution([FindPackageShare("pixelrs_ros"), "config", "pixelrs.yaml"])
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node and of its topics."),
        DeclareLaunchArgument("params_file", default_value=default_params, description="YAML file of its parameters."),
        DeclareLaunchArgument("image", default_value="image", description="Topic of the camera's images."),
        DeclareLaunchArgument(
            "autostart",
            default_value="true",
            choices=["true", "false"],
            description="Configure and activate the node at once; false leaves that to a lifecycle manager.",
        ),
    ]
    perception = LifecycleNode(
        package="pixelrs_ros",
        executable="perception",
        name="perception",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"autostart": ParameterValue(LaunchConfiguration("autostart"), value_type=bool)},
        ],
        remappings=[("image", LaunchConfiguration("image"))],
        output="screen",
    )
    return LaunchDescription([*arguments, perception])
