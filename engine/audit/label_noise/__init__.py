"""Finding labels that are probably wrong, by similar rows or by a classifier."""
