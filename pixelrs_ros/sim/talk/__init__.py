"""What people say about a scene and what the robot should answer; the scene decides the status of every turn."""
