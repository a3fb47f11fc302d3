"""Serve the operator page: the live picture with its masks, the dialogue, and what the robot says of itself.

It is served to this machine alone, on http://127.0.0.1:8080. With --host 0.0.0.0 other machines reach it too, and it
asks for a token: that of the environment variable PIXELRS_CONSOLE_TOKEN, or one that is printed with the address.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--host", default="127.0.0.1", help="address to serve the page on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="0: any that is free (default: 8080)")
    parser.add_argument("--namespace", default="", metavar="NAME", help="of the robot (default: none)")
    parser.add_argument("--image", default="image", metavar="TOPIC", help="the camera's pictures (default: image)")
    parser.add_argument("--compressed", action="store_true", help="take TOPIC/compressed instead")


def run(options: argparse.Namespace) -> None:
    """Serve the page until it is interrupted.

    Raises:
        PixelrsError: It cannot be served.
    """
    from pixelrs_ros.console import app

    transport = "compressed" if options.compressed else "raw"
    given = ["-p", f"host:={options.host}", "-p", f"port:={options.port}", "-p", f"image_transport:={transport}"]
    given += ["-r", f"image:={options.image}"]
    if options.namespace:
        given += ["-r", f"__ns:=/{options.namespace.strip('/')}"]
    app.run(["--ros-args", *given])
