"""What `make test-fast` leaves out: files, or tests of them, that take seconds; the rest is the inner loop.

A file is named by its path below `test/`; a test by the path, `::` and the beginning of its name.
"""

SLOW: tuple[str, ...] = (
    "commands/test_doctor.py",
    "convert/",
    "data/test_generate.py",
    "doctor/test_findings.py",
    "doctor/test_network.py",
    "engine/test_backends.py",
    "engine/test_prefix.py",
    "evaluation/test_space.py",
    "faults/",
    "ros/demo/test_demo.py",
    "ros/perception/test_graph.py",
    "ros/perception/test_restart.py",
    "security/",
    "sim/walk/test_dialogues.py",
    "sim/talk/",
    "sim/scene/test_scene.py",
    "test_launch.py",
    "test_package.py::test_a_robot_needs_neither_simulator_nor_plots",
    "test_shipped.py",
    "training/",
    "ros/wire/test_ros_context.py",
    "stranger/",
    "test_cli.py::test_a_terminal_without",
    "test_requirements.py",
    "ros/perception/test_dialogue_services.py::test_all_this_holds",
    "test_cli.py::test_a_reader_that",
)
