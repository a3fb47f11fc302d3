"""Where a mask is in space: a depth image and a calibrated camera give points, a centroid and an oriented box."""
