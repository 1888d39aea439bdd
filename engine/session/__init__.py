"""One case being planned in the wizard."""
