"""Dialogues and masks on disk, in PRIST's form: made from the simulator, read from anywhere."""
