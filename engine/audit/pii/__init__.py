"""Finding personal data and secrets, and masking them."""
