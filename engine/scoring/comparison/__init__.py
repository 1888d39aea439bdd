"""Whether an answer equals the expected one, by the rules of `task.compare`."""
