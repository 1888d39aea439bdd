"""Finding labels that may be wrong, by similar rows or by a classifier."""
