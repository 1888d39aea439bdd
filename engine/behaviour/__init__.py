"""What tuning did to the model outside the task: prompts, the answers of base and tuned model, and how they are scored."""
