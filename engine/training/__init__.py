"""Training on the local machine, watched live and resumable."""
