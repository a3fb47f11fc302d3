"""Tell by its diagnostics whether a perception node works: exit status 0, or 1 with the reason.

It works when it is heard in time, is active, and none of its statuses is an ERROR. For the health check of a container,
a supervisor or a script. A camera that has not sent anything yet is a warning, and no reason to restart the node.
"""

from __future__ import annotations

import argparse

from pixelrs_ros.commands.numbers import positive_number
from pixelrs_ros.errors import PixelrsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--namespace", default="", metavar="NAME", help="of the robot (default: none)")
    parser.add_argument("--perception", default="perception", metavar="NAME", help="of the node (default: perception)")
    parser.add_argument("--timeout", type=positive_number, default=10.0, metavar="S", help="to wait (default: 10)")


def run(options: argparse.Namespace) -> None:
    """Listen, and print what was heard.

    Raises:
        PixelrsError: The node was not heard in time, is not active, or reports an error.
    """
    from pixelrs_ros.ros.tools.health import listen

    name = "/".join(["", *filter(None, options.namespace.split("/")), options.perception])
    heard = listen(name, options.timeout)
    if not heard.state:
        raise PixelrsError(
            f"nothing was heard of {name} within {options.timeout:g} s; does it run, with the same ROS_DOMAIN_ID?"
        )
    if heard.state != "active":
        raise PixelrsError(f"{name} is {heard.state}, not active")
    if heard.errors:
        raise PixelrsError("; ".join(heard.errors))
    print("; ".join([f"{name} is active", *heard.warnings]))
