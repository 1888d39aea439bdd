"""What the findings, verdicts and states of the engine mean on the screen: for each a colour and a sign."""

from __future__ import annotations

from collections.abc import Mapping

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.tui.theme import Meaning

OF_VERDICT: Mapping[VerdictAnswer, Meaning] = {
    VerdictAnswer.TUNE: Meaning.TUNE,
    VerdictAnswer.REPLACE: Meaning.TUNE,
    VerdictAnswer.DO_NOT_TUNE: Meaning.DO_NOT_TUNE,
    VerdictAnswer.DO_NOT_REPLACE: Meaning.DO_NOT_TUNE,
    VerdictAnswer.INCONCLUSIVE: Meaning.INCONCLUSIVE,
}

OF_TARGET: Mapping[TargetStatus, Meaning] = {
    TargetStatus.SHOWN: Meaning.TARGET_MET,
    TargetStatus.MEASURED: Meaning.TARGET_PERHAPS,
    TargetStatus.NOT_MET: Meaning.TARGET_MISSED,
    TargetStatus.NONE: Meaning.MUTED,
}

OF_SEVERITY: Mapping[Severity, Meaning] = {
    Severity.BLOCK: Meaning.BLOCK,
    Severity.WARN: Meaning.WARN,
    Severity.INFO: Meaning.INFO,
}

OF_STATUS: Mapping[RunStatus, Meaning] = {
    RunStatus.NEW: Meaning.WAITING,
    RunStatus.RUNNING: Meaning.RUNNING,
    RunStatus.STOPPED: Meaning.WARN,
    RunStatus.FAILED: Meaning.ERROR,
    RunStatus.CRASHED: Meaning.ERROR,
    RunStatus.FINISHED: Meaning.DONE,
}


def verdict_meaning(answer: str) -> Meaning:
    """The meaning of a stored verdict; one of another version of this program may be unknown."""
    return next((meaning for known, meaning in OF_VERDICT.items() if known == answer), Meaning.INFO)
