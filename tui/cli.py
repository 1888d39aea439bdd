"""The command line: every command, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from tuneproof.engine.core.errors import CaseError, ExitCode, TuneproofError, UsageError
from tuneproof.engine.core.stage import Stage


class Parser(argparse.ArgumentParser):
    """A parser whose errors are those of the program: one line, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, fix=f"see: {self.prog} --help")


class Version(argparse.Action):
    """Shows the version; looking it up takes longer than a route, so only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"tuneproof {version('tuneproof')}")
        raise SystemExit(int(ExitCode.DONE))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code; no traceback is shown for a user's mistake or a machine's limit."""
    try:
        return run(list(sys.argv[1:] if arguments is None else arguments))
    except TuneproofError as error:
        print(f"tuneproof: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("tuneproof: interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output went away: that is its business.
        sys.stderr.close()
        return int(ExitCode.DONE)
    except Exception as error:
        return _unforeseen(error)


def _unforeseen(error: Exception) -> int:
    """A limit of the machine is told as one; what is left is a defect of this program."""
    from tuneproof.engine.run.limits import machine_limit

    limit = machine_limit(error, Path(getattr(error, "filename", None) or "."))
    told = str(limit) if limit else f"a defect in tuneproof; the traceback is in {_log_defect()}"
    print(f"tuneproof: {told}", file=sys.stderr)
    return int(limit.exit_code if limit else ExitCode.DEFECT)


def run(words: list[str]) -> int:
    """Finds the command among the words and does it."""
    command = COMMANDS.get(words[0]) if words else None
    if command is not None:
        return command(words[1:])
    options = _parser().parse_args(words)
    if options.replay is None:
        return _wizard(options)
    if options.case is not None:
        raise UsageError(f"`{options.case}` and --replay are two cases", fix="name one")
    from tuneproof.tui.replay import replay

    return replay(
        find_case(options.replay),
        run_dir=options.run_dir,
        until=options.until,
        resume=options.resume,
        overrides=options.set,
        as_json=options.json,
    )


def _wizard(options: argparse.Namespace) -> int:
    """The wizard, at home or opened on a case or a run folder."""
    given = [name for name in ("run_dir", "until", "resume", "set", "json") if getattr(options, name)]
    if given:
        raise UsageError(f"--{given[0].replace('_', '-')} goes with --replay", fix="try: tuneproof --replay CASE.yaml")
    opens = options.case if options.case is None or options.case.is_dir() else find_case(options.case)
    return _open_wizard(opens)


def _open_wizard(opens: Path | None) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the wizard needs a terminal", fix="without one: tuneproof --replay CASE.yaml")
    if opens is not None:
        _check_it_opens(opens)
    from tuneproof.tui.app import TuneproofApp

    app = TuneproofApp(opens)
    app.run()
    if app.farewell:
        print(app.farewell)
    return int(app.return_code or ExitCode.DONE)


def _check_it_opens(path: Path) -> None:
    """Raises before the screen is taken, so that the error stays in the terminal."""
    if path.is_dir():
        from tuneproof.engine.run.store import RunStore

        RunStore.open(path)
    else:
        from tuneproof.engine.case.load import load_as
        from tuneproof.engine.case.schema import DraftCase

        load_as(DraftCase, path)


def _attach(words: list[str]) -> int:
    parser = Parser(prog="tuneproof attach", description="Watch a run that is under way, or look at a finished one.")
    parser.add_argument("run", metavar="RUN", type=Path)
    run_dir: Path = parser.parse_args(words).run
    if not run_dir.is_dir():
        raise UsageError("there is no such run folder", where=str(run_dir), fix="list them with: tuneproof runs")
    return _open_wizard(run_dir)


def _runs(words: list[str]) -> int:
    parser = Parser(prog="tuneproof runs", description="List runs: state, stage, verdict.")
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=Path("runs"), help="where the runs lie (default: runs)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else there")
    options = parser.parse_args(words)
    from tuneproof.tui.runs import runs_json, runs_text

    print((runs_json if options.json else runs_text)(options.folder))
    return int(ExitCode.DONE)


def find_case(name: Path) -> Path:
    """The case file of that name: where the user stands, or among the sample cases that ship."""
    if name.exists():
        return name
    shipped = _shipped() / name.with_suffix(".yaml").name
    if len(name.parts) == 1 and shipped.is_file():
        print(f"there is no {name} here: using the sample case that ships", file=sys.stderr)
        return shipped
    raise CaseError("there is no such case file", where=str(name), fix=f"the sample cases are {', '.join(sample_cases())}")


def sample_cases() -> list[str]:
    """The names of the cases that ship."""
    return sorted(path.name for path in _shipped().glob("*.yaml"))


def _shipped() -> Path:
    import tuneproof.sample_cases

    return Path(tuneproof.sample_cases.__file__).parent


COMMANDS_HELP = """\
without --replay: the wizard, at home or opened on CASE (a case file or a run folder)

further commands:
  tuneproof attach RUN   watch a run that is under way, or look at a finished one
  tuneproof runs         list runs: state, stage, verdict
  tuneproof audit FILE   the audit alone: duplicates, leaks, conflicts, private data …
  tuneproof verify RUN   recompute the card from what is stored and compare
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
        help="the whole case without a screen, from the first question to the card",
    )
    parser.add_argument("--run-dir", metavar="DIR", type=Path, help="where to put it (default: runs/<case name>-<number>)")
    parser.add_argument("--until", metavar="STAGE", type=_stage, help=f"stop after this stage: {' | '.join(Stage)}")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run-dir")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override a field of the case: --set training.epochs=1",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else there")
    return parser


def _stage(word: str) -> Stage:
    try:
        return Stage(word)
    except ValueError:
        raise UsageError(f"`{word}` is no stage", where="--until", fix=f"use one of {', '.join(Stage)}") from None


def _verify(words: list[str]) -> int:
    parser = Parser(prog="tuneproof verify", description="Recompute the card from what is stored and compare.")
    parser.add_argument("run", metavar="RUN", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else there")
    options = parser.parse_args(words)
    from tuneproof.engine.card.verify import verify
    from tuneproof.engine.run.store import RunStore

    checked = verify(RunStore.open(options.run))
    if options.json:
        print(json.dumps({"verified": True, "files": checked.files, "predictions": checked.predictions, "base": checked.base}))
    else:
        print(f"verified: {checked.files} files, {checked.predictions} predictions judged again, and the card; {checked.base}")
    return int(ExitCode.DONE)


def _reproduce(words: list[str]) -> int:
    told = "Decode stored prompts again with the run's base and adapter, and compare the answers with what is stored."
    parser = Parser(prog="tuneproof reproduce", description=told)
    parser.add_argument("run", metavar="RUN", type=Path)
    parser.add_argument("--arm", metavar="ARM", required=True, help="whose answer; tuned_25 and tuned_50 are those of a learning curve")
    parser.add_argument("--id", metavar="ID", help="the case, as predictions.jsonl names it (default: all of the arm, in one pass)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else there")
    options = parser.parse_args(words)
    from tuneproof.tui.reproduce import reproduce_command

    return reproduce_command(options.run, options.arm, options.id, as_json=options.json)


def _audit(words: list[str]) -> int:
    parser = Parser(prog="tuneproof audit", description="The audit alone: what is wrong in files of examples. Files are never edited.")
    parser.add_argument("files", metavar="FILE", nargs="+", help="examples to learn from: files, folders, or a data set's hub name")
    parser.add_argument("--against", metavar="EVALFILE", action="append", default=[], help="a file that is scored on: what leaks into it?")
    parser.add_argument("--near", choices=["w3", "c5"], default="w3", help="near rows share runs of three words, or of five characters")
    parser.add_argument("--case", metavar="CASE", type=Path, help="a case whose task, model and data settings count")
    labels = "by what labels are doubted (default: neighbours, or what the case says); cleanlab takes longer and needs tuneproof[labels]"
    parser.add_argument("--label-errors", choices=["neighbours", "cleanlab"], help=labels)
    parser.add_argument("--on", choices=["here", "ray"], default="here", help="where: in this process, or on Ray with each file a shard")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else there")
    options = parser.parse_args(words)
    case = find_case(options.case) if options.case else None
    from tuneproof.engine.audit.near.settings import Shingle
    from tuneproof.engine.case.data import LabelErrorMethod
    from tuneproof.tui.audit import audit_command

    label_errors = LabelErrorMethod(options.label_errors) if options.label_errors else None
    on_ray = options.on == "ray"
    return audit_command(options.files, options.against, Shingle(options.near), case, label_errors, on_ray=on_ray, as_json=options.json)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "verify": _verify,
    "reproduce": _reproduce,
    "attach": _attach,
    "runs": _runs,
    "audit": _audit,
}


def _log_defect() -> Path:
    """Writes the traceback in hand to a file where the user stands, or to the folder for temporary files."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="tuneproof-defect-", suffix=".log", delete=False, encoding="utf-8") as file:
        traceback.print_exc(file=file)
    return Path(file.name)


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())
