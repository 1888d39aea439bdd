"""What everything else rests on: errors, digests, the hardware, the stages."""
