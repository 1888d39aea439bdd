"""The steps of the wizard, one file each, and the screens between them."""
