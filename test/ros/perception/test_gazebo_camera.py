"""Quirks of Gazebo's cameras: an intrinsic matrix that is not the lens's, and depth that is infinite."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from pixelrs_ros.geometry.target import GeometryStatus
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.locating import Locator
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame, Stream
