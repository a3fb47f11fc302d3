"""What people say about a scene and what the robot should answer: conversations whose every status the scene decides."""
