"""What `make test-fast` leaves out: files, or tests of them, that take seconds; the rest is the inner loop.

A file is named by its path below `test/`; a test by the path, `::` and the beginning of its name.
"""

SLOW: tuple[str, ...] = (
    "faults/",
    "ros/demo/test_demo.py",
    "ros/perception/test_graph.py",
    "ros/perception/test_restart.py",
    "security/",
    "test_launch.py",
    "test_shipped.py",
    "training/",
)
