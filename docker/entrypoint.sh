#!/bin/bash
# Runs a command with ROS 2 and pixelrs_ros sourced; also the health check's, which passes through no entry point.
set -e
# shellcheck source=/dev/null
. "/opt/ros/${ROS_DISTRO}/setup.bash"
# shellcheck source=/dev/null
. /opt/pixelrs/install/local_setup.bash
exec "$@"
