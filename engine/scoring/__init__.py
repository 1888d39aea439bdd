"""Whether an output is right, why not, and how sure that is."""
