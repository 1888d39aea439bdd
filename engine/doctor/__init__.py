"""What a machine can run, looked at and tried: GPU, libraries, cluster, disk, memory, hub and extras."""
