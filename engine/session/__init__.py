"""One case in the wizard: what it has, what may be done next, and the rules of its forms."""
