"""The shell around the engine: the command line."""
