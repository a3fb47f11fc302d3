"""What every test shares: a ROS graph of its own, and the same random numbers each time."""

import os
import random

from hypothesis import settings

# Before anything imports rclpy, and inherited by the processes that tests start: two test runs at once, or a robot in
# the same network, must not hear each other. Domains from 102 on use ports that Linux gives to outgoing connections.
os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(1, 101))
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

settings.register_profile("pixelrs", derandomize=True, deadline=None)
settings.load_profile("pixelrs")
