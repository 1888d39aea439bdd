"""The evidence card: its data, how it is built, written and verified."""
