"""Whether an output is correct, why not, and how certain the scores are."""
