"""`tuneproof help`: all commands on one page, or the help of one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from textwrap import fill

from tuneproof.engine.core.errors import ExitCode, UsageError
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser, nearest

EXIT_CODES = {
    ExitCode.DONE: "done",
    ExitCode.DEFECT: "a defect in tuneproof",
    ExitCode.USAGE: "usage, or an invalid case",
    ExitCode.REFUSED: "refused: the data or a gate",
    ExitCode.FAILED: "failed, can be resumed",
    ExitCode.DIFFERS: "differs from what is stored",
    ExitCode.INTERRUPTED: "interrupted, can be resumed",
}
"""The exit codes in a few words."""

PAGE_COLUMNS = 100


def help_command(wizard: Command, commands: Mapping[str, Command]) -> Command:
    """The command that shows the help of the others."""

    def add_arguments(parser: Parser) -> None:
        parser.add_argument("command", metavar="COMMAND", nargs="?", help="the command to show the help of (default: all, on one page)")

    def act(options: argparse.Namespace) -> int:
        if options.command is None:
            print(page(wizard, commands))
        elif (command := commands.get(options.command)) is not None:
            command.parser().print_help()
        else:
            raise unknown_command(options.command, commands)
        return int(ExitCode.DONE)

    examples = (Example("tuneproof help", "one page"), Example("tuneproof help audit", "the same as tuneproof audit --help"))
    return Command("help", "Show all commands on one page, or the help of one.", examples, add_arguments, act)


def page(wizard: Command, commands: Mapping[str, Command]) -> str:
    """Everything that the command line can do, a line each."""
    lines = [(each.line, each.what) for each in wizard.examples]
    lines += [(f"tuneproof {command.usage}", command.summary.rstrip(".")) for command in commands.values()]
    width = min(36, max(len(line) for line, _ in lines))
    return "\n".join(
        [
            wizard.summary,
            "",
            *(_line(line, what, width) for line, what in lines),
            "",
            "Every command has --help with examples. Results go to stdout, progress to stderr.",
            fill(f"Exit codes: {'; '.join(f'{code} {what}' for code, what in EXIT_CODES.items())}.", PAGE_COLUMNS),
        ]
    )


def unknown_command(word: str, commands: Mapping[str, Command]) -> UsageError:
    """The error for a word that is no command."""
    near = nearest(word, commands)
    fix = f"did you mean `tuneproof {near}`?" if near else "list them with: tuneproof help"
    return UsageError(f"`{word}` is not a command", fix=fix)


def _line(line: str, what: str, width: int) -> str:
    return f"  {line:<{width}}  {what}" if len(line) <= width else f"  {line}\n  {'':<{width}}  {what}"
