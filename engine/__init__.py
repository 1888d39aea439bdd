"""The engine of tuneproof: everything a case needs, without a screen."""
