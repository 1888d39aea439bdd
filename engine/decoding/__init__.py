"""Decoding: what a model writes after a prompt."""
