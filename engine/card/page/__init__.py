"""The card as a page, `card.html`: one file without scripts, which loads nothing."""
