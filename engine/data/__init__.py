"""Reading examples, and splitting and freezing them."""
