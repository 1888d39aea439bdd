"""Faults injected into real runs, and a table of what became of them: `python -m tests.faults`."""
