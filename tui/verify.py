"""`tuneproof verify`: makes the card again from the stored files, and says what was checked and what was not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import ExitCode, UsageError
from tuneproof.engine.core.plain_text import sanitize, sanitize_json
from tuneproof.tui.file_list import file_list
from tuneproof.tui.verify_rerun import check_rerun, decode_again, is_as_stored, rerun_document, rerun_lines
from tuneproof.tui.verify_signature import (
    add_signature_arguments,
    check_signature_options,
    signature_document,
    signature_line,
    signature_of,
)

if TYPE_CHECKING:
    from tuneproof.engine.card.verify import Verified

MOST_DIGITS = 9
"""Digits of a number of answers; no run has more."""

HOW_TO_RERUN = (
    "that a model gave the stored answers was not checked: --rerun N decodes N of them again, `tuneproof reproduce` all of an arm"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("run", metavar="RUN", type=Path, help="the run folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")
    parser.add_argument(
        "--run-script", action="store_true", help="also run the script of the case (task.metric.script): it is code, so trust it"
    )
    rerun = "also decode N of the stored answers again, spread over the arms, where the model is on this machine"
    parser.add_argument("--rerun", metavar="N", type=positive, default=0, help=rerun)
    add_signature_arguments(parser)


def positive(word: str) -> int:
    """A number of things from 1 on. Raises UsageError for anything else."""
    if not word.isascii() or not word.isdecimal() or len(word) > MOST_DIGITS or int(word) == 0:
        raise UsageError(f"`{word}` is not a number of answers", where="--rerun", fix="give a whole number from 1 on")
    return int(word)


def verify_command(options: argparse.Namespace) -> int:
    """Verifies a run and prints what was checked. Raises VerifyFailed for the first thing that differs."""
    from tuneproof.engine.card.verify import open_stored, verify

    check_signature_options(options)
    store = open_stored(options.run)
    checked = verify(store, run_script=options.run_script)
    again = decode_again(store, options.rerun) if options.rerun else None
    # What is known to be made up is not signed.
    signature = signature_of(store, options) if again is None or is_as_stored(again) else None
    if options.json:
        document = _document(checked) | {"signature": signature_document(signature)} | (rerun_document(again) if again else {})
        print(sanitize_json(json.dumps(document, ensure_ascii=False)))
    else:
        lines = [*_lines(checked), *(rerun_lines(again) if again else [HOW_TO_RERUN])]
        print("\n".join([*lines, signature_line(signature, signs=options.sign is not None)]))
    if again is not None:
        check_rerun(again)
    return int(ExitCode.DONE)


def _document(checked: Verified) -> dict[str, object]:
    from tuneproof.engine.card.verify_outside import ScriptCheck

    document = {"verified": True, "files": checked.files, "predictions": checked.predictions, "base": checked.base.phrase}
    flags = {"base_checked": checked.base.is_here, "sentences_compared": checked.other_version is None}
    flags |= {"verdict_computed": checked.verdict_checked, "reproduced": False}
    flags |= {} if checked.script is ScriptCheck.NO_SCRIPT else {"script_run": checked.script is ScriptCheck.RUN}
    lists = {"rests_on": checked.rests_on, "only_digest": checked.only_digest, "not_read": checked.not_read, "left_out": checked.left_out}
    return document | flags | lists


def _lines(checked: Verified) -> Iterator[str]:
    from tuneproof.engine.card.verify_outside import ScriptCheck

    base = sanitize(checked.base.phrase, one_line=True)
    yield f"verified: {checked.files} files, {checked.predictions} predictions graded again, and the card; {base}"
    yield "the card follows from these files"
    if checked.script is ScriptCheck.NOT_RUN:
        yield "the script of the case was not run: its stored scores were counted again (--run-script runs it)"
    if checked.script is ScriptCheck.RUN:
        yield "the script of the case was run again, and gave the stored scores"
    yield f"the card rests on: {file_list(checked.rests_on)}"
    yield f"only the digest was checked: {file_list(checked.only_digest) or 'nowhere'}"
    if checked.left_out:
        yield f"not in this copy, so not checked: {file_list(checked.left_out)}"
    yield f"not read: {file_list(checked.not_read) or 'nothing'}"
    if checked.other_version is not None:
        other = sanitize(checked.other_version, one_line=True)
        yield f"the card was written by tuneproof {other}: everything but its sentences and card.md was compared"
    if not checked.verdict_checked:
        yield "its verdict was found by the rules of that version and was not computed again: start a new run for one by today's rules"
