"""The audit of the data: a table of examples, and the checks that look through it."""
