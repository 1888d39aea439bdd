"""What a worker can be busy with for longer than a moment, and what such work is counted in."""

from __future__ import annotations

from enum import StrEnum


class Work(StrEnum):
    """A piece of work; what it is about (a file, a check, an arm, a model) is said beside it."""

    STARTING = "starting"
    """The process starts, and loads the libraries that it needs."""
    READING = "reading"
    BASE = "base"
    """The tokenizer of the base is loaded, and the digests of its files are made."""
    CHECKING = "checking"
    PASSING_ROWS = "passing_rows"
    """A check goes through the rows."""
    SUMMARISING = "summarising"
    """What the rows are like: their lengths, and what is left after the checks."""
    SPLITTING = "splitting"
    WEIGHTS = "weights"
    CHOOSING_PROMPT = "choosing_prompt"
    """An arm answers validation cases, so that the best of its prompts is chosen."""
    ANSWERING = "answering"
    """An arm or a model answers the frozen cases."""
    SCORING = "scoring"
    COUNTING = "counting"
    """The parameters that each method would train are counted."""
    PLANNING = "planning"
    TRIAL_STEP = "trial_step"
    PREPARING = "preparing"
    """A training gets ready: libraries, rows, weights, checkpoint."""
    TRAINING = "training"
    PROBING = "probing"
    """The model in training answers validation cases."""
    MERGING = "merging"
    BEHAVIOUR = "behaviour"
    """Base or tuned model answers prompts outside the task."""
    CARD = "card"
    STAGE = "stage"
    """Something else in a stage."""


class Unit(StrEnum):
    """What work is counted in."""

    ROWS = "rows"
    CHECKS = "checks"
    ANSWERS = "answers"
    STEPS = "steps"
