"""`tuneproof doctor`: what this machine can run."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.doctor.line import Group
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.find_case import find_case
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    groups = f"look only at these: {' | '.join(Group)}"
    parser.add_argument("groups", metavar="GROUP", nargs="*", type=_group, help=groups)
    parser.add_argument("--slurm", action="store_true", help="look at a node of the cluster, by a job with one task")
    parser.add_argument("--case", metavar="CASE", type=Path, help="with --slurm: request what training.slurm of this case requests")
    parser.add_json()


def _group(word: str) -> Group:
    try:
        return Group(word)
    except ValueError:
        raise UsageError(f"`{word}` is not a group of lines", fix=f"use some of {', '.join(Group)}") from None


def _act(options: argparse.Namespace) -> int:
    if options.case is not None and not options.slurm:
        raise UsageError("--case needs --slurm", fix="try: tuneproof doctor --slurm --case CASE.yaml")
    from tuneproof.tui.doctor import doctor_command

    case = find_case(options.case) if options.case is not None else None
    return doctor_command(options.groups or list(Group), on_slurm=options.slurm, case=case, as_json=options.json)


DOCTOR = Command(
    "doctor",
    "Say what this machine can run, and what to do about what it cannot.",
    (
        Example("tuneproof doctor", "GPU, libraries, cluster, disk, memory, hub, terminal, extras"),
        Example("tuneproof doctor --slurm --case case.yaml", "the node that would train this case"),
        Example("tuneproof doctor hub terminal", "only these groups; without gpu it takes a second"),
        Example("tuneproof doctor --json", "for a program"),
    ),
    _add_arguments,
    _act,
    about="Each line is good, limited or missing. The exit code is 0 whatever is missing.",
)
