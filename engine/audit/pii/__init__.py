"""Finding private data and secrets, and masking them."""
