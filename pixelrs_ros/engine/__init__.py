"""One runtime object: numpy in, a reply out. No ROS."""
