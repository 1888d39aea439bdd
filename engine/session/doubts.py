"""Values that the case file allows and that nobody means: a million epochs, a learning rate of 1000, a batch larger than the data."""

from __future__ import annotations

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.session.form_input import number_text

FAR_FROM_DEFAULT = 32
"""Times the default, from which a setting is questioned: published recipes differ from one another by less."""

MEASURED_AGAINST_DEFAULT = ("epochs", "learning_rate", "rank", "alpha", "virtual_tokens")
"""Settings of the training whose default is of the size that they usually have."""

FEWEST_TO_TRAIN_ON = 0.1
"""The share of the rows below which hardly anything is left to train on."""

LONGEST_ANSWER = 32_768
"""Tokens; more than an answer of any task that a small model is tuned for."""


def doubt_about(before: DraftCase, now: DraftCase, train_rows: int | None) -> str | None:
    """What is doubtful about what has changed, as a sentence that says why; None if nothing is.

    `train_rows` is the number of rows to train on, None if it is not known yet.
    """
    found = [
        *_about_settings(before, now),
        *_about_batch(before, now, train_rows),
        *_about_split(before, now),
        *_about_answers(before, now),
    ]
    return found[0] if found else None


def _about_settings(before: DraftCase, now: DraftCase) -> list[str]:
    """Settings far from their default."""
    found = []
    for name in MEASURED_AGAINST_DEFAULT:
        value = getattr(now.training, name)
        if value is None or value == getattr(before.training, name):
            continue
        try:
            usual = getattr(make_plan(now.method, now.training.model_copy(update={name: None})), name)
        except CaseError:
            continue
        if usual is not None and value > FAR_FROM_DEFAULT * usual:
            found.append(f"{number_text(value)} is {value / usual:,.0f} times the default of {name}, which is {number_text(usual)}")
        elif name == "learning_rate" and usual is not None and value * FAR_FROM_DEFAULT**2 < usual:
            found.append(f"{value:g} is so far below the default of {usual:g} that nothing would be learned")
    return found


def _about_batch(before: DraftCase, now: DraftCase, train_rows: int | None) -> list[str]:
    size = now.training.batch_size
    if size is None or size == before.training.batch_size or train_rows is None or size <= train_rows:
        return []
    return [f"one step would take {size:,} rows, and there are {train_rows:,} to train on: the model would take one step an epoch"]


def _about_split(before: DraftCase, now: DraftCase) -> list[str]:
    if now.data is None or (before.data is not None and before.data.split == now.data.split):
        return []
    train = now.data.split.train
    return [f"{100 * train:g} % of the rows is very little to train on"] if train < FEWEST_TO_TRAIN_ON else []


def _about_answers(before: DraftCase, now: DraftCase) -> list[str]:
    tokens = now.evaluate.max_new_tokens
    if tokens is None or tokens == before.evaluate.max_new_tokens or tokens <= LONGEST_ANSWER:
        return []
    return [f"an answer of {tokens:,} tokens is longer than most models can write"]
