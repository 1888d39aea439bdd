"""The audit alone: on this machine, or divided among Ray workers."""
