"""Getting public weights: licenses, the hub, checksums, and a checkpoint made of the parts."""
