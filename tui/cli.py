"""The command line: every command, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from tuneproof.engine.errors import CaseError, ExitCode, TuneproofError, UsageError
from tuneproof.engine.stages import Stage


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
    if words[:1] == ["verify"]:
        return _verify(words[1:])
    options = _replay_parser().parse_args(words)
    if options.replay is None:
        raise UsageError("nothing to do", fix="try: tuneproof --replay support_tickets.yaml")
    from tuneproof.tui.replay import replay

    return replay(
        find_case(options.replay),
        run_dir=options.run_dir,
        until=options.until,
        resume=options.resume,
        overrides=options.set,
        as_json=options.json,
    )


def find_case(name: Path) -> Path:
    """The case file of that name: where the user stands, or among the sample cases that ship."""
    if name.exists():
        return name
    shipped = Path(str(files("tuneproof.sample_cases"))) / name.with_suffix(".yaml").name
    if len(name.parts) == 1 and shipped.is_file():
        print(f"there is no {name} here: using the sample case that ships", file=sys.stderr)
        return shipped
    raise CaseError("there is no such case file", where=str(name), fix=f"the sample cases are {', '.join(sample_cases())}")


def sample_cases() -> list[str]:
    """The names of the cases that ship."""
    return sorted(entry.name for entry in files("tuneproof.sample_cases").iterdir() if entry.name.endswith(".yaml"))


def _replay_parser() -> Parser:
    parser = Parser(
        prog="tuneproof",
        description="Should you fine-tune? Measured on frozen cases, against the best prompt, with an interval.",
        epilog="tuneproof verify RUN   recompute the card from what is stored and compare",
    )
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
    from tuneproof.engine.run.store import RunStore
    from tuneproof.engine.verify import verify

    checked = verify(RunStore.open(options.run))
    if options.json:
        print(json.dumps({"verified": True, "files": checked.files, "predictions": checked.predictions, "base": checked.base}))
    else:
        print(f"verified: {checked.files} files, {checked.predictions} predictions judged again, and the card; {checked.base}")
    return int(ExitCode.DONE)


def _log_defect() -> Path:
    """Writes the traceback in hand to a file where the user stands, or to the folder for temporary files."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="tuneproof-defect-", suffix=".log", delete=False, encoding="utf-8") as file:
        traceback.print_exc(file=file)
    return Path(file.name)


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())
