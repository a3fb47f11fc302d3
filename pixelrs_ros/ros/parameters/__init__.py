"""The perception node's parameters: one table, and the values in force that are derived from it."""
