"""What touches ROS itself: messages, topics, quality of service, the executor. Knows no node of this package."""
