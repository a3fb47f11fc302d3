"""Scores of a network on a PRIST folder, with the conditions and baselines that keep them honest."""
