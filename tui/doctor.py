"""`tuneproof doctor`: what this machine can run, or one that Slurm gives."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from tuneproof.engine.case.load import load_as
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.slurm import Slurm
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.plain_text import sanitize_json
from tuneproof.engine.doctor.line import Group, Line
from tuneproof.tui.doctor_text import text


def doctor_command(groups: Collection[Group], *, on_slurm: bool, case: Path | None, as_json: bool) -> int:
    """Looks at this machine, or at one that Slurm gives, and prints its lines. What is missing changes no exit code."""
    if on_slurm:
        lines, place = _on_slurm(groups, case), "a node of the cluster"
    else:
        from tuneproof.engine.doctor.look import look
        from tuneproof.tui.terminal import terminal_lines

        lines, place = look(groups), socket.gethostname()
        lines += terminal_lines(ask=True) if Group.TERMINAL in groups else []
    print(sanitize_json(document(lines)) if as_json else text(lines, place))
    return int(ExitCode.DONE)


def _on_slurm(groups: Collection[Group], case: Path | None) -> list[Line]:
    from tuneproof.engine.doctor.on_slurm import look_on_slurm

    draft = load_as(DraftCase, case) if case is not None else None
    settings = (draft.training.slurm if draft is not None and draft.training is not None else None) or Slurm()
    return look_on_slurm(settings, groups, lambda job: print(f"Slurm job {job} is queued", file=sys.stderr))


def document(lines: Sequence[Line]) -> str:
    """The document that `--json` prints."""
    return json.dumps({"lines": [asdict(line) for line in lines]}, ensure_ascii=False)
