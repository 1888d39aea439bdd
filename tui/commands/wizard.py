"""`tuneproof` without a command: the wizard, and with `--replay` a whole case without it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from tuneproof.engine.core.errors import ExitCode, UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.find_case import find_case
from tuneproof.tui.commands.parser import Parser

DEFAULT_PORT = 8137


class _Version(argparse.Action):
    """Shows the version. It is looked up only on request, because that takes longer than computing a route."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"tuneproof {version('tuneproof')}")
        raise SystemExit(int(ExitCode.DONE))


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("case", metavar="CASE", type=Path, nargs="?", help="open the wizard on this case file or run folder")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
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
    parser.add_json()
    serve = f"the wizard in a browser of this machine, on this port of the loopback interface (default: {DEFAULT_PORT})"
    parser.add_argument("--serve", metavar="PORT", type=int, nargs="?", const=DEFAULT_PORT, help=serve)


def _stage(word: str) -> Stage:
    try:
        return Stage(word)
    except ValueError:
        raise UsageError(f"`{word}` is not a stage", where="--until", fix=f"use one of {', '.join(Stage)}") from None


def _act(options: argparse.Namespace) -> int:
    if options.replay is None:
        return _wizard(options)
    if options.serve is not None:
        raise UsageError("--serve and --replay do not go together", fix="serve the wizard, and watch the run in it")
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
    from tuneproof.tui.open_wizard import open_wizard, serve_wizard

    opens = options.case if options.case is None or options.case.is_dir() else find_case(options.case)
    return open_wizard(opens) if options.serve is None else serve_wizard(opens, options.serve)


WIZARD = Command(
    "",
    "Should you fine-tune? Measured on frozen cases, against the best prompt, with an interval.",
    (
        Example("tuneproof", "the wizard: a new case, the sample cases, recent runs"),
        Example("tuneproof case.yaml", "the wizard, opened on a case file or a run folder"),
        Example("tuneproof --serve", "the wizard in a browser, for those who forward a port"),
        Example("tuneproof --replay case.yaml", "the whole case without a screen, up to its card"),
        Example("tuneproof --replay case.yaml --set training.epochs=1", "with another value for a key of the case"),
    ),
    _add_arguments,
    _act,
    about="Without --replay it is the wizard. The other commands: tuneproof help",
)
