"""The state of dialogues: pure Python, no tensors, no ROS."""
