"""Finding rows of the same conversation, document, user or group."""
