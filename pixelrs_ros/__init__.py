"""Multi-turn reasoning segmentation for ROS 2: what the user means, as a mask and the words that say why."""

from pkgutil import extend_path

# The generated messages (`pixelrs_ros.msg`) live in colcon's install tree; this joins them to the source tree.
__path__ = extend_path(__path__, __name__)
