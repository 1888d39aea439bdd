"""Reading examples from files, splitting them into parts, and storing the parts."""
