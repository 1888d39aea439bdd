"""Near duplicates: the exact join, boilerplate, and the leaks that a split makes."""
