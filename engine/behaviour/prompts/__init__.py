"""The prompts of each axis as files, and what makes them: `python -m tuneproof.engine.behaviour.prompts.make`."""
