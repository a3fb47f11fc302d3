"""Training on simulated scenes: draw, see, talk, connect, ground."""
