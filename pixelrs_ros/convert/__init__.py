"""Other people's checkpoints to ours: formats, names, sizes, words."""
