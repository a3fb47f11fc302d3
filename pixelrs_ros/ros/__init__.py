"""The nodes, and all that knows ROS 2: the one part of the package that imports rclpy and the generated messages."""
