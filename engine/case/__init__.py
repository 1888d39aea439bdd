"""The case file: its schema, reading and writing it, and the route that its answers lead to."""
