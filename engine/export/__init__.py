"""Carrying a tuned model away: in the form in which it is served, checked on the frozen cases by what will serve it."""
