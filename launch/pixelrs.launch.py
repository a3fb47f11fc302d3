r"""The perception node, for a robot that brings its own camera; with speech:=true, console:=true or grasps:=true more.

ros2 launch pixelrs_ros pixelrs.launch.py namespace:=robot1 image:=/robot1/camera/color/image_raw \
    depth:=/robot1/camera/aligned_depth_to_color/image_raw camera_info:=/robot1/camera/color/camera_info
"""

import asyncio

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueCoroutine,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.events.process import ProcessExited
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.ros_adapters import get_ros_node
from launch_ros.substitutions import FindPackageShare
from lifecycle_msgs.msg import Transition

from pixelrs_ros.ros.parameters.layers import ARGUMENTS, NOT_GIVEN, PROFILES, choices, layers, require_file

# The node ends its turn, says so to whoever waits for it, and closes its store; after this it is killed.
STOP_TIMEOUT_S = "20"
RESPAWN_DELAY_S = 2.0
LOOK_PERIOD_S = 0.2
COMES_BACK = {"respawn": True, "respawn_delay": RESPAWN_DELAY_S}
NODE, LAUNCH = "node", "launch"


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
            description="YAML file of its parameters, and of the planner's of grasps. Not given: as profile says.",
        ),
        DeclareLaunchArgument(
            "respawn",
            default_value="true",
            choices=["true", "false"],
            description=f"Start the perception node again {RESPAWN_DELAY_S:g} s after it died; its dialogues go on; "
            "false: the launch ends with it, for a supervisor. The other nodes always come back.",
        ),
        DeclareLaunchArgument(
            "transitions",
            default_value=NODE,
            choices=[NODE, LAUNCH],
            description="Who configures and activates it: the node itself, as autostart says, or events of launch, "
            "which override autostart.",
        ),
        DeclareLaunchArgument("image", default_value="image", description="Topic of the camera's images."),
        DeclareLaunchArgument(
            "depth", default_value="depth", description="Topic of the depth images, registered to the camera's images."
        ),
        DeclareLaunchArgument("camera_info", default_value="camera_info", description="Topic of its intrinsics."),
        DeclareLaunchArgument(
            "tf",
            default_value="/tf",
            description="Topic of the transforms, for target_frame; tf for one below the namespace. The static ones "
            "come on the same name with _static.",
        ),
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
        **COMES_BACK,
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
        **COMES_BACK,
    )
    return LaunchDescription([*arguments, OpaqueFunction(function=perception), speech, console])


def perception(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The node, and the planner that takes the same file, once it is known which arguments were given."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    profile, params_file, speech, transitions, tf, respawn = (
        LaunchConfiguration(name).perform(context)
        for name in ("profile", "params_file", "speech", "transitions", "tf", "respawn")
    )
    for argument in ("params_file", "speech_params_file", "console_params_file"):
        require_file(argument, LaunchConfiguration(argument).perform(context))
    if transitions == LAUNCH:
        given["autostart"] = "false"
    files = ["launch.yaml", *(["launch_speech.yaml"] if speech == "true" else [])]
    files += [f"profiles/{profile}.yaml"] if profile else []
    topics = [(topic, LaunchConfiguration(topic)) for topic in ("image", "depth", "camera_info")]
    node = LifecycleNode(
        package="pixelrs_ros",
        executable="perception",
        name="perception",
        namespace=LaunchConfiguration("namespace"),
        parameters=layers([shipped(name) for name in files] + ([params_file] if params_file else []), given),
        remappings=[*topics, ("/tf", tf), ("/tf_static", f"{tf}_static")],
        respawn=respawn == "true",
        respawn_delay=RESPAWN_DELAY_S,
        on_exit=None if respawn == "true" else ended,
        sigterm_timeout=STOP_TIMEOUT_S,
        output="screen",
    )
    grasps = Node(
        package="pixelrs_ros",
        executable="grasp_planner",
        name="grasp_planner",
        namespace=LaunchConfiguration("namespace"),
        parameters=[params_file] if params_file else [],
        remappings=[(topic, LaunchConfiguration(topic)) for topic in ("depth", "camera_info")],
        condition=IfCondition(LaunchConfiguration("grasps")),
        output="screen",
        **COMES_BACK,
    )
    return [*(by_events(node) if transitions == LAUNCH else []), node, grasps]


def ended(_: ProcessExited, context: LaunchContext) -> list[Shutdown]:
    """Without the perception node the others are of no use; whoever started the launch file shall notice."""
    return [] if context.is_shutdown else [Shutdown(reason="the perception node has ended")]


def by_events(node: LifecycleNode) -> list[RegisterEventHandler]:
    """Whenever a process of the node has started: configure, and activate once that has worked."""
    return [
        RegisterEventHandler(
            OnProcessStart(target_action=node, on_start=lambda *_: [OpaqueCoroutine(coroutine=configure, args=[node])])
        ),
        RegisterEventHandler(
            OnStateTransition(
                target_lifecycle_node=node,
                start_state="configuring",
                goal_state="inactive",
                entities=[EmitEvent(event=change(node, Transition.TRANSITION_ACTIVATE))],
            )
        ),
    ]


async def configure(context: LaunchContext, node: LifecycleNode) -> None:
    """Configure the process that has just started, as soon as it can be heard.

    A process that was killed stays in the graph for a while, and launch_ros would call its service and wait for ever.
    """
    graph = get_ros_node(context)

    def publishers() -> set[tuple[int, ...]]:
        found = graph.get_publishers_info_by_topic(f"{node.node_name}/transition_event")
        return {tuple(info.endpoint_gid) for info in found}

    earlier = publishers()
    while not publishers() - earlier:
        await asyncio.sleep(LOOK_PERIOD_S)
    await asyncio.sleep(LOOK_PERIOD_S)  # its services come right after
    await context.emit_event(change(node, Transition.TRANSITION_CONFIGURE))


def change(node: LifecycleNode, transition: int) -> ChangeState:
    """The event that makes a node change its state."""
    return ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
