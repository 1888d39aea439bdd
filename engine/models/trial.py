"""Trying a base before a case uses it, without its weights and in a process of its own: the one that asks loads no transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import CaseError

SECONDS = 60
"""How long a trial may take; a base that takes longer is used untried."""


def trial_of(folder: Path) -> list[str]:
    """What is unusual in how the model of a folder is asked, a phrase each; empty for most, and for one that takes longer than `SECONDS`.

    Raises CaseError with what a run of this base would end with.
    """
    command = [sys.executable, "-m", "tuneproof.engine.models.trial", str(folder)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
        found = json.loads(done.stdout.decode("utf-8", "replace").rpartition("\n")[2])
    except (subprocess.TimeoutExpired, OSError, ValueError):
        # What ends the trial itself says nothing about the base that a run would not say better.
        return []
    if isinstance(found, dict):
        raise CaseError(str(found["what"]), where=str(found["where"]), fix=str(found["fix"]))
    return [str(phrase) for phrase in found]


def try_base(folder: Path) -> list[str]:
    """The same in this process, without a limit of time. Imports transformers."""
    from tuneproof.engine.models.base_model import open_base, reasoning_room
    from tuneproof.engine.models.find_faults import base_faults

    opened = open_base(ModelChoice(base=str(folder)))
    faults = base_faults(opened.chat, opened.eos_token_ids)
    return [*opened.chat.habits(reasoning_room(opened.context_length)), *(each.sentence for each in faults if each.breaks_here)]


def _main(folder: str) -> None:
    try:
        told: object = try_base(Path(folder))
    except CaseError as error:
        told = {"what": error.what, "where": error.where, "fix": error.fix}
    # Libraries may have printed before.
    sys.stdout.write("\n" + json.dumps(told))


if __name__ == "__main__":
    _main(sys.argv[1])
