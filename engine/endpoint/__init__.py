"""Client for OpenAI-compatible servers: requests, replies, retries, and when to give up."""
