"""The stages of a run, one file a stage, and what they share."""
