"""Near duplicates: the exact join, and boilerplate."""
