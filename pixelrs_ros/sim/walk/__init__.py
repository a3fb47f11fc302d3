"""The older dialogues, which walk down a tree to one target: kept for the splits that were measured on them."""
