"""A stranger's test set: pictures and words by someone who did not know the simulator that the network learned from."""

from pixelrs_ros.stranger.write import write_stranger

__all__ = ["write_stranger"]
