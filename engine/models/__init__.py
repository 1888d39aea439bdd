"""Base models: their files, tokenizers and weights."""
