"""`tuneproof gate`: verifies a run and checks what its card says, for a pipeline that goes on or stops."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import ExitCode, GateClosed, TuneproofError, UsageError
from tuneproof.engine.core.plain_text import sanitize, sanitize_json
from tuneproof.engine.run.limits import machine_limit
from tuneproof.tui.verify_signature import check_signature_options, signature_line, signature_of

if TYPE_CHECKING:
    from tuneproof.engine.card.gate import GateConditions
    from tuneproof.engine.card.gate_report import GateReport
    from tuneproof.engine.run.store import RunStore

WITHOUT_VERIFYING = "The run was not verified: that its numbers follow from its stored answers was not checked."


def gate_command(options: argparse.Namespace) -> int:
    """Prints what was asked for and what the card has, and writes the reports. Raises GateClosed if the run does not pass.

    Raises VerifyFailed if the run has a difference: then the reports say that it cannot be judged.
    """
    from tuneproof.engine.card.gate_report import GateReport, junit, markdown

    conditions = _conditions(options)
    if conditions.is_empty:
        raise UsageError("nothing is asked of the run", fix="say what: --require tune, --min-gain 0.05, --target shown …")
    check_signature_options(options)
    if options.no_verify and (options.signed or options.signers is not None):
        raise UsageError("a signature cannot be checked with --no-verify", fix="leave --no-verify out")
    failed: TuneproofError | None = None
    try:
        report = _report(options, conditions)
    except TuneproofError as error:
        report, failed = GateReport(str(options.run), [], "", error=str(error)), error
    for path, text in ((options.junit, junit), (options.markdown, markdown)):
        if path is not None:
            _write(path, text(report))
    if failed is not None:
        raise failed
    print(sanitize_json(json.dumps(_document(report), ensure_ascii=False)) if options.json else "\n".join(_lines(report)))
    if not report.passed:
        missed = sum(not each.passed for each in report.checks)
        what = f"{missed} of {len(report.checks)} conditions {'is' if missed == 1 else 'are'} not met"
        raise GateClosed(what, where=str(options.run), fix="card.md of the run says what would help")
    return int(ExitCode.DONE)


def _conditions(options: argparse.Namespace) -> GateConditions:
    from tuneproof.engine.card.gate import GateConditions
    from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer

    return GateConditions(
        answers=[VerdictAnswer(each) for each in options.require],
        min_gain=options.min_gain,
        min_gain_shown=options.min_gain_shown,
        target=TargetStatus(options.target) if options.target else None,
    )


def _report(options: argparse.Namespace, conditions: GateConditions) -> GateReport:
    from tuneproof.engine.card.gate import check_gate
    from tuneproof.engine.card.gate_report import GateReport
    from tuneproof.engine.card.stored_card import read_card
    from tuneproof.engine.card.verify import open_stored

    store = open_stored(options.run)
    verified = WITHOUT_VERIFYING if options.no_verify else _verify(store, options)
    card = read_card(store)
    return GateReport(str(options.run), check_gate(card, conditions), verified, card)


def _verify(store: RunStore, options: argparse.Namespace) -> str:
    """Verifies the run and its signature, and says so."""
    from tuneproof.engine.card.verify import verify

    checked = verify(store)
    line = signature_line(signature_of(store, options), signs=False)
    return f"Verified: {checked.files} files, {checked.predictions:,} predictions graded again, and the card; {line}."


def _document(report: GateReport) -> dict[str, object]:
    checks = [{"condition": each.name, "passed": each.passed, "found": each.found} for each in report.checks]
    verdict = report.card.verdict.answer if report.card else None
    return {"run": report.run, "passed": report.passed, "verdict": verdict, "checks": checks, "verified": report.verified}


def _lines(report: GateReport) -> Iterator[str]:
    for each in report.checks:
        yield f"{'passed' if each.passed else 'FAILED'}: {sanitize(each.name, one_line=True)}: {sanitize(each.found, one_line=True)}"
    yield sanitize(report.verified, one_line=True)


def _write(path: Path, text: str) -> None:
    """Writes a report. Raises a TuneproofError if it cannot be written."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise machine_limit(error, path) or UsageError(
            f"the report cannot be written: {error.strerror or error}", where=str(path), fix="name a file in a folder that can be written"
        ) from None
