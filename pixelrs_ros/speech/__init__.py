"""From sound to instructions and from answers to sound. Knows no ROS; needs the extra `speech`."""
