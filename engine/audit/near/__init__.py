"""The exact near-duplicate join, and what rests on it."""
