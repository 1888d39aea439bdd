"""One request from text to answer: tokens, loss, likeliest next tokens, attention and score, for `tuneproof trace`."""
