"""The speech node: sound and text in, instructions and the robot's voice out."""
