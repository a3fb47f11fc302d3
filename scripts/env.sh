#!/bin/sh
# Runs a command inside the environment that `make setup` made:  scripts/env.sh python -m pixelrs_ros.ros.demo.run
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if [ ! -f "$root/install/local_setup.sh" ]; then
    echo "$0: nothing is set up here yet; say: make setup" >&2
    exit 1
fi
export VIRTUAL_ENV="$root/.venv"
export PATH="$root/.venv/bin:$PATH"
if [ -d "$root/.venv/share/ament_index" ]; then  # ROS 2 came from wheels
    export AMENT_PREFIX_PATH="$root/.venv"
fi
set +u
COLCON_CURRENT_PREFIX="$root/install"
. "$root/install/local_setup.sh"
# The source tree goes first, so that an edit of Python code needs no build; it has no messages, those come from install.
export PYTHONPATH="$root:$PYTHONPATH"
export ROS_LOG_DIR="${ROS_LOG_DIR:-$root/log/ros}"
exec "$@"
