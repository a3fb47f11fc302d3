"""From an instruction to its turn in the queue: frames, limits and fairness."""
