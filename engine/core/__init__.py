"""What all other packages use: errors, digests, hardware, the names of the stages."""
