"""Masks that follow their targets from picture to picture, without the language model."""
