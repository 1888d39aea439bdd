"""The command line: all commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from tuneproof.engine.core.errors import CaseError, ExitCode, TuneproofError, UsageError
from tuneproof.engine.core.plain_text import bare_streams, plain_streams, sanitize, sanitize_json
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.core.telemetry import turn_off_telemetry
from tuneproof.engine.session.sample_cases import SAMPLE_CASES, sample_cases_folder

WITHOUT_CURSOR = ("dumb", "unknown")
"""Values of TERM for terminals that only add lines."""


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError: one line, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, fix=f"see: {self.prog} --help")


class Version(argparse.Action):
    """Shows the version. It is looked up only on request, because that takes longer than computing a route."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"tuneproof {version('tuneproof')}")
        raise SystemExit(int(ExitCode.DONE))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code. Mistakes of the user and limits of the machine take one line, without a traceback.

    All that any command prints leaves here, as plain text.
    """
    turn_off_telemetry()
    with plain_streams():
        return _exit_code(list(sys.argv[1:] if arguments is None else arguments))


def _exit_code(words: list[str]) -> int:
    try:
        return run(words)
    except TuneproofError as error:
        print(f"tuneproof: {sanitize(str(error), one_line=True)}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("tuneproof: interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output, such as `head`, has ended.
        sys.stderr.close()
        return int(ExitCode.DONE)
    except Exception as error:
        return _show_unexpected(error)


def _show_unexpected(error: Exception) -> int:
    """Shows a limit of the machine as such, anything else as a defect of this program."""
    from tuneproof.engine.run.limits import machine_limit

    limit = machine_limit(error, Path(getattr(error, "filename", None) or "."))
    try:
        problem = str(limit) if limit else f"a defect in tuneproof; the traceback is in {_write_traceback()}"
    except OSError:
        traceback.print_exc()
        problem = "a defect in tuneproof"
    print(f"tuneproof: {problem}", file=sys.stderr)
    return int(limit.exit_code if limit else ExitCode.DEFECT)


def run(words: list[str]) -> int:
    """Runs the command that the words name. Raises a TuneproofError for any mistake of the user."""
    command = COMMANDS.get(words[0]) if words else None
    if command is not None:
        return command(words[1:])
    options = _parser().parse_args(words)
    if options.replay is None:
        return _wizard(options)
    if options.case is not None:
        raise UsageError(f"`{options.case}` and --replay both name a case", fix="name only one")
    from tuneproof.tui.replay import replay

    return replay(
        find_case(options.replay),
        run_dir=options.run_dir,
        until=options.until,
        resume=options.resume,
        overrides=[*options.set, *(["data.allow_large=true"] if options.allow_large else [])],
        as_json=options.json,
    )


def _wizard(options: argparse.Namespace) -> int:
    """The wizard, on its home screen or opened on a case or a run folder."""
    given = [name for name in ("run_dir", "until", "resume", "set", "allow_large", "json") if getattr(options, name)]
    if given:
        raise UsageError(f"--{given[0].replace('_', '-')} needs --replay", fix="try: tuneproof --replay CASE.yaml")
    opens = options.case if options.case is None or options.case.is_dir() else find_case(options.case)
    return _open_wizard(opens)


def _open_wizard(opens: Path | None) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the wizard needs a terminal", fix="without one: tuneproof --replay CASE.yaml")
    if os.environ.get("TERM") in WITHOUT_CURSOR:
        fix = "set TERM to what your terminal is, such as xterm-256color; without one: tuneproof --replay CASE.yaml, tuneproof runs"
        raise UsageError(f"the wizard cannot move the cursor in a terminal of the kind `{os.environ['TERM']}`", where="TERM", fix=fix)
    if opens is not None:
        _check_it_opens(opens)
    from tuneproof.tui.app import TuneproofApp

    app = TuneproofApp(opens)
    with bare_streams():
        app.run()
    if app.farewell:
        print(app.farewell)
    return int(app.return_code or ExitCode.DONE)


def _check_it_opens(path: Path) -> None:
    """Raises before the wizard takes the screen, so that the error stays visible in the terminal."""
    if path.is_dir():
        from tuneproof.engine.session.case_session import CaseSession

        CaseSession.of_run(path)
    else:
        from tuneproof.engine.case.load import load_as
        from tuneproof.engine.case.schema import DraftCase

        load_as(DraftCase, path)


def _attach(words: list[str]) -> int:
    parser = Parser(prog="tuneproof attach", description="Watch a run in progress, or open a finished one.")
    parser.add_argument("run", metavar="RUN", type=Path, help="the run folder")
    run_dir: Path = parser.parse_args(words).run
    if not run_dir.is_dir():
        raise UsageError("there is no such run folder", where=str(run_dir), fix="list them with: tuneproof runs")
    return _open_wizard(run_dir)


def _runs(words: list[str]) -> int:
    parser = Parser(prog="tuneproof runs", description="List runs: state, stage, verdict.")
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", default=Path("runs"), help="the folder of the runs (default: runs)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")
    options = parser.parse_args(words)
    from tuneproof.tui.runs import runs_json, runs_text

    print(sanitize_json(runs_json(options.folder)) if options.json else runs_text(options.folder))
    return int(ExitCode.DONE)


def find_case(name: Path) -> Path:
    """The case file of that name, in the current folder or else among the sample cases. Raises CaseError if there is none."""
    if name.exists():
        return name
    shipped = sample_cases_folder() / name.with_suffix(".yaml").name
    if len(name.parts) == 1 and shipped.is_file():
        print(f"there is no {name} here: using the sample case that ships with tuneproof", file=sys.stderr)
        return shipped
    raise CaseError(
        "there is no such case file",
        where=str(name),
        fix=f"the sample cases are {', '.join(f'{each.name}.yaml' for each in SAMPLE_CASES)}",
    )


COMMANDS_HELP = """\
without --replay: the wizard, on its home screen or opened on CASE (a case file or a run folder)

other commands:
  tuneproof attach RUN   watch a run in progress, or open a finished one
  tuneproof runs         list runs: state, stage, verdict
  tuneproof audit FILE   run only the audit: duplicates, leaks, conflicts, private data …
  tuneproof verify RUN   recompute the card from the stored files and compare
  tuneproof reproduce RUN --arm ARM --id ID
                         decode a stored prompt again and compare the answer
"""


def _parser() -> Parser:
    parser = Parser(
        prog="tuneproof",
        description="Should you fine-tune? Measured on frozen cases, against the best prompt, with an interval.",
        epilog=COMMANDS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("case", metavar="CASE", type=Path, nargs="?", help="open the wizard on this case file or run folder")
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    parser.add_argument(
        "--replay",
        metavar="CASE.yaml",
        type=Path,
        help="run the whole case without the wizard, from the first question to the card",
    )
    parser.add_argument("--run-dir", metavar="DIR", type=Path, help="the run folder (default: runs/<case name>-<number>)")
    parser.add_argument("--until", metavar="STAGE", type=_stage, help=f"stop after this stage: {' | '.join(Stage)}")
    parser.add_argument("--resume", action="store_true", help="resume the run in --run-dir")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override a field of the case: --set training.epochs=1",
    )
    parser.add_argument("--allow-large", action="store_true", help="the same as --set data.allow_large=true")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")
    return parser


def _stage(word: str) -> Stage:
    try:
        return Stage(word)
    except ValueError:
        raise UsageError(f"`{word}` is not a stage", where="--until", fix=f"use one of {', '.join(Stage)}") from None


def _verify(words: list[str]) -> int:
    from tuneproof.tui.verify import add_arguments, verify_command

    parser = Parser(prog="tuneproof verify", description="Recompute the card from the stored files and compare.")
    add_arguments(parser)
    return verify_command(parser.parse_args(words))


def _reproduce(words: list[str]) -> int:
    description = "Decode stored prompts again with the base and adapter of the run, and compare the answers with the stored ones."
    parser = Parser(prog="tuneproof reproduce", description=description)
    parser.add_argument("run", metavar="RUN", type=Path, help="the run folder")
    parser.add_argument("--arm", metavar="ARM", required=True, help="the arm, or a model of the learning curve: tuned_25, tuned_50")
    parser.add_argument("--id", metavar="ID", help="the id of the case in predictions.jsonl (default: all cases of the arm, in one pass)")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")
    options = parser.parse_args(words)
    from tuneproof.tui.reproduce import reproduce_command

    return reproduce_command(options.run, options.arm, options.id, as_json=options.json)


def _audit(words: list[str]) -> int:
    parser = Parser(prog="tuneproof audit", description="Run only the audit on files of examples. Files are never edited.")
    parser.add_argument("files", metavar="FILE", nargs="+", help="training examples: files, folders, or the hub name of a data set")
    parser.add_argument("--against", metavar="EVALFILE", action="append", default=[], help="eval file to check for leakage")
    parser.add_argument(
        "--near",
        choices=["w3", "c5"],
        default="w3",
        help="shingles of the near-duplicate search: three words (w3, the default) or five characters (c5)",
    )
    parser.add_argument("--case", metavar="CASE", type=Path, help="a case file with the task, model and data settings to use")
    parser.add_argument(
        "--columns",
        metavar="NAMES",
        help="the columns, as input=NAME,output=NAME and perhaps instruction=NAME; a name may be a path such as data.text",
    )
    labels = (
        "method for finding label errors (default: neighbours, or the setting of the case); cleanlab is slower and needs tuneproof[labels]"
    )
    parser.add_argument("--label-errors", choices=["neighbours", "cleanlab"], help=labels)
    parser.add_argument(
        "--allow-large", action="store_true", help="read data that memory may not hold, or that grow hugely when decompressed"
    )
    parser.add_argument(
        "--on", choices=["here", "ray"], default="here", help="run in this process (the default), or on Ray with one shard per file"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")
    options = parser.parse_args(words)
    case = find_case(options.case) if options.case else None
    from tuneproof.engine.audit.near.settings import Shingle
    from tuneproof.engine.case.data import LabelErrorMethod
    from tuneproof.tui.audit import audit_command, parse_columns

    columns = parse_columns(options.columns) if options.columns is not None else None
    label_errors = LabelErrorMethod(options.label_errors) if options.label_errors else None
    on_ray = options.on == "ray"
    shingle, large = Shingle(options.near), options.allow_large
    return audit_command(
        options.files, options.against, shingle, case, label_errors, columns, on_ray=on_ray, allow_large=large, as_json=options.json
    )


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "verify": _verify,
    "reproduce": _reproduce,
    "attach": _attach,
    "runs": _runs,
    "audit": _audit,
}


def _write_traceback() -> Path:
    """Writes the current traceback to a temporary file and returns its path."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="tuneproof-defect-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(sanitize(traceback.format_exc()))
    return Path(file.name)


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
