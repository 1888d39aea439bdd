"""Cases, data and the small model that ship with tuneproof, and the scripts that made them."""
