"""Record what a perception node hears and says, for Foxglove, `ros2 bag`, `pixelrs replay` and `pixelrs data from-bag`.

MCAP with the ROS 2 profile, the definitions of all messages in it, and metadata.yaml beside it: image, depth, camera
info, instructions, masks and words, tracking, points, markers, diagnostics and the node's life cycle. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="to be recorded too, such as overlay or /tf_static")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="the recording, a new folder (default: recordings/<time>)"
    )
    parser.add_argument(
        "--images", choices=("all", "turns"), default="all",
        help="all images, or only those that turns are about, and then no tracking (default: all)",
    )  # fmt: skip
    parser.add_argument("--namespace", default="", metavar="NS", help="of the robot")
    parser.add_argument("--perception", default="perception", metavar="NAME", help="of the node (default: perception)")
    for name, default in (("image", "image"), ("depth", "depth"), ("camera-info", "camera_info")):
        parser.add_argument(f"--{name}", metavar="TOPIC", help=f"of the camera (default: NS/{default})")
    parser.add_argument("--image-transport", choices=("raw", "compressed"), default="raw", help="default: raw")
    parser.add_argument("--depth-transport", choices=("raw", "compressedDepth"), default="raw", help="default: raw")


def run(options: argparse.Namespace) -> None:
    """Record.

    Raises:
        ConfigError: An option is not what ROS takes.
        DataError: Nothing came.
        OutputError: The recording is there already, or cannot be written.
    """
    from pixelrs_ros.ros.recording.recorder import record

    out = options.out or Path("recordings") / time.strftime("%Y-%m-%dT%H-%M-%S")
    parameters = {
        "out": str(out),
        "topics": options.topics or [""],
        "images": options.images,
        "perception": options.perception,
        "image_transport": options.image_transport,
        "depth_transport": options.depth_transport,
    }
    remapped = {"image": options.image, "depth": options.depth, "camera_info": options.camera_info}
    record(options.namespace, {name: topic for name, topic in remapped.items() if topic}, parameters)
