"""The whole demo: simulated camera, perception node, operator and planner; ends with the planner's report.

ros2 launch pixelrs_ros demo.launch.py out_dir:=out/demo
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

# The planner draws every scene once more for its report.
REPORT_TIMEOUT_S = "60"


def generate_launch_description() -> LaunchDescription:
    """Describes the four nodes and the end of the demo."""
    share = FindPackageShare("pixelrs_ros")
    namespace = LaunchConfiguration("namespace")
    params = PathJoinSubstitution([share, "config", "demo.yaml"])
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes."),
        DeclareLaunchArgument("out_dir", default_value="out/demo", description="Folder of the report."),
    ]
    perception = IncludeLaunchDescription(
        PathJoinSubstitution([share, "launch", "pixelrs.launch.py"]), launch_arguments={"namespace": namespace}.items()
    )
    camera = Node(
        package="pixelrs_ros", executable="sim_camera", namespace=namespace, parameters=[params], output="screen"
    )
    operator = Node(
        package="pixelrs_ros", executable="operator", namespace=namespace, parameters=[params], output="screen"
    )
    planner = Node(
        package="pixelrs_ros",
        executable="planner",
        namespace=namespace,
        parameters=[params, {"out_dir": LaunchConfiguration("out_dir")}],
        output="screen",
        sigterm_timeout=REPORT_TIMEOUT_S,
    )

    def end(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
        """Shuts down when any process ends; only an operator that is content leaves the planner to its report."""
        if context.is_shutdown or (event.action is operator and event.returncode == 0):
            return None
        return Shutdown(reason=f"{event.process_name} ended with exit status {event.returncode}")

    return LaunchDescription(
        [*arguments, RegisterEventHandler(OnProcessExit(on_exit=end)), perception, camera, operator, planner]
    )
