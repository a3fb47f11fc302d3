"""Recordings: what the perception node hears and says, written to a bag and said to it again."""
