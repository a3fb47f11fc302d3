"""What a camera sees of a scene, and the truth about it."""
