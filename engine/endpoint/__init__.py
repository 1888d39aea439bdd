"""Asking an OpenAI-compatible server: what is sent, what comes back, when to ask again, and when to give up."""
