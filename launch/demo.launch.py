"""The whole demo: simulated camera, perception node, operator and planner; ends with the planner's report.

ros2 launch pixelrs_ros demo.launch.py out_dir:=out/demo

The same as `make demo`, but on the ROS graph of this terminal, so that others can look on.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

# When it is interrupted, the demo ends its nodes, and the planner still writes its report.
STOP_TIMEOUT_S = "60"


def generate_launch_description() -> LaunchDescription:
    """Describes the demo, which starts its nodes itself, and the arguments to place it."""
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes."),
        DeclareLaunchArgument("out_dir", default_value="out/demo", description="Folder of the report."),
        DeclareLaunchArgument(
            "params_file",
            default_value=PathJoinSubstitution([FindPackageShare("pixelrs_ros"), "config", "demo.yaml"]),
            description="YAML file of the parameters of the nodes.",
        ),
        DeclareLaunchArgument(
            "grasps", default_value="false", choices=["true", "false"], description="Start the planner of grasps too."
        ),
        DeclareLaunchArgument(
            "task", default_value="", description="With grasps: what it is told to grasp first, in words."
        ),
    ]
    options = ["--join", "--out", LaunchConfiguration("out_dir"), "--params-file", LaunchConfiguration("params_file")]
    demo = Node(
        package="pixelrs_ros",
        executable="demo",
        arguments=[*options, "--namespace", LaunchConfiguration("namespace")],
        output="screen",
        sigterm_timeout=STOP_TIMEOUT_S,
        on_exit=Shutdown(reason="the demo has ended"),
    )
    grasps = Node(
        package="pixelrs_ros",
        executable="grasp_planner",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"task": ParameterValue(LaunchConfiguration("task"), value_type=str)},
        ],
        condition=IfCondition(LaunchConfiguration("grasps")),
        output="screen",
    )
    return LaunchDescription([*arguments, demo, grasps])
