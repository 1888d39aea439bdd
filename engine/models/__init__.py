"""Base models: their files, tokenizers and weights."""

from tuneproof.engine.core.hardware import block_import

# Kernels of the Hugging Face Hub are code that a model's config.json can ask for. transformers looks for the library when it is imported.
block_import("kernels")
