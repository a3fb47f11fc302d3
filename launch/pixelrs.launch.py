r"""The perception node, for a robot that brings its own camera.

ros2 launch pixelrs_ros pixelrs.launch.py namespace:=robot1 image:=/robot1/camera/color/image_raw \
    depth:=/robot1/camera/aligned_depth_to_color/image_raw camera_info:=/robot1/camera/color/camera_info
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
            "depth", default_value="depth", description="Topic of the depth images, registered to the camera's images."
        ),
        DeclareLaunchArgument("camera_info", default_value="camera_info", description="Topic of its intrinsics."),
        DeclareLaunchArgument(
            "image_transport",
            default_value="raw",
            choices=["raw", "compressed"],
            description="How the images are sent; compressed subscribes to `<image>/compressed`.",
        ),
        DeclareLaunchArgument(
            "depth_transport",
            default_value="raw",
            choices=["raw", "compressedDepth"],
            description="How the depth images are sent; compressedDepth subscribes to `<depth>/compressedDepth`.",
        ),
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
            {
                "autostart": ParameterValue(LaunchConfiguration("autostart"), value_type=bool),
                "image_transport": LaunchConfiguration("image_transport"),
                "depth_transport": LaunchConfiguration("depth_transport"),
            },
        ],
        remappings=[(topic, LaunchConfiguration(topic)) for topic in ("image", "depth", "camera_info")],
        output="screen",
    )
    return LaunchDescription([*arguments, perception])
