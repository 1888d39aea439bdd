"""What can be trained, and which of it fits."""
