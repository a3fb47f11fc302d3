"""Dialogues for a folder of pictures with labeled masks, in PRIST's three steps."""
