"""The audit of files on its own: on this machine, or over shards on Ray."""
