"""Faults in texts: stray characters, wrong encodings, chat tokens, placeholders, refusals, repetition, other scripts."""
