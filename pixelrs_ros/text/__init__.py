"""Words to token ids and back. No torch."""
