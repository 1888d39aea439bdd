"""What outputs are: nearly JSON, JSON in one style or another, or one structure with other values."""
