"""The simulated tabletop, and dialogues about what stands on it."""
