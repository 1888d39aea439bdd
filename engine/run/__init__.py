"""One run: its folder, its log of events, and the process that does the work."""
