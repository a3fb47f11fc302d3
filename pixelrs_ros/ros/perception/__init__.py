"""The perception node and what it is made of."""
