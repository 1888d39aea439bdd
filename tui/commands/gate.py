"""`tuneproof gate`: whether a pipeline goes on with a run."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser
from tuneproof.tui.gate import gate_command
from tuneproof.tui.verify_signature import add_signature_checks


def difference(word: str) -> float:
    """A difference of two rates or scores. Raises UsageError for anything else."""
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not -1 <= value <= 1:
        raise UsageError(f"`{word}` is not a difference of two rates", where="--min-gain", fix="give a number such as 0.05, for 5 points")
    return value


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="the run folder")
    answers = [str(each) for each in VerdictAnswer]
    parser.add_argument(
        "--require", action="append", default=[], choices=answers, help="the verdict must be this one; given twice, one of both"
    )
    gain = "tuned minus best untuned arm must be at least this, as measured: 0.05 is 5 points"
    parser.add_argument("--min-gain", metavar="GAIN", type=difference, help=gain)
    shown = "the 95 %% interval of that difference must begin at this or above"
    parser.add_argument("--min-gain-shown", metavar="GAIN", type=difference, help=shown)
    target = "the arm that would be used must meet the target of the case: as measured, or shown beyond luck"
    parser.add_argument("--target", choices=[str(TargetStatus.MEASURED), str(TargetStatus.SHOWN)], help=target)
    parser.add_argument("--junit", metavar="FILE", type=Path, help="also write the conditions as JUnit XML")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="also write them as Markdown, for a pull request")
    parser.add_argument("--no-verify", action="store_true", help="do not verify the run first; the reports then say so")
    add_signature_checks(parser)
    parser.add_json()


GATE = Command(
    "gate",
    "Exit with 0 if a run is what a pipeline asks for, and with 3 if not.",
    (
        Example("tuneproof gate runs/support-tickets-1 --require tune --min-gain 0.05", "5 points better as measured"),
        Example("tuneproof gate runs/support-tickets-1 --require tune --junit gate.xml --markdown gate.md", "with reports"),
        Example("tuneproof gate runs/support-tickets-1 --target shown --signers allowed_signers", "and signed"),
    ),
    _add_arguments,
    gate_command,
    about="The run is verified first: a difference is exit code 5.",
)
