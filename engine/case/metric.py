"""The metrics that answers are scored with."""

from __future__ import annotations

from enum import StrEnum


class Metric(StrEnum):
    """A score over the eval cases, between 0 and 1."""

    EXACT_MATCH = "exact_match"
    FIELD_ACCURACY = "field_accuracy"
    CHOICE_ACCURACY = "choice_accuracy"
    MACRO_F1 = "macro_f1"
    PATTERN_MATCH = "pattern_match"
    TOOL_ACCURACY = "tool_accuracy"
    MICRO_F1 = "micro_f1"
    CHRF = "chrf"
    ROUGE_L = "rouge_l"
    TOKEN_F1 = "token_f1"
    CONTAINS = "contains"
    SCRIPT = "script"
    """The mean of what a script of the case gives each answer."""
    PREFERENCE = "preference"
    """How answers come off against the reference in the eyes of a judge: 1 for a win, a half for a tie."""


PROSE = (Metric.CHRF, Metric.ROUGE_L, Metric.TOKEN_F1, Metric.CONTAINS)
"""The metrics of free texts that need not be equal: an answer counts as correct from `task.pass_score` on."""

PASS_SCORE = 0.5
"""The default of `task.pass_score`."""
