"""`tuneproof completion`: what a shell completes, by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.doctor.line import Group
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser

SHELLS = ("bash", "zsh", "tcsh", "fish")

FOLDERS = ("DIR", "FOLDER", "RUN")
CASES = ("CASE", "CASE.yaml")
FILES = ("FILE", "EVALFILE", "KEY")
"""The names that help gives to folders, case files and other files: what stands for a value says how it is completed."""


def completion_command(wizard: Command, commands: Mapping[str, Command]) -> Command:
    """The command that prints the completion script of a shell."""

    def add_arguments(parser: Parser) -> None:
        parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=" | ".join(SHELLS))

    def act(options: argparse.Namespace) -> int:
        print(completion_script(wizard, commands, options.shell))
        return int(ExitCode.DONE)

    examples = (
        Example("tuneproof completion bash > ~/.local/share/bash-completion/completions/tuneproof", "for new terminals"),
        Example('eval "$(tuneproof completion bash)"', "for this terminal"),
        Example('tuneproof completion zsh > "${fpath[1]}/_tuneproof"', "in zsh"),
    )
    summary = "Print the script with which a shell completes commands, options and files."
    return Command("completion", summary, examples, add_arguments, act)


def completion_script(wizard: Command, commands: Mapping[str, Command], shell: str) -> str:
    """The script for a shell, to be evaluated by it."""
    import shtab

    parser = wizard.parser()
    # The first word is a command or a case file. shtab knows only the one or the other, so the case files are added to its script.
    parser._actions[:] = [action for action in parser._actions if action.option_strings]
    subparsers = parser.add_subparsers(parser_class=Parser)
    for command in commands.values():
        inner = subparsers.add_parser(command.name, help=command.summary, prog=command.prog, description=command.summary)
        command.add_arguments(inner)
        _complete_values(inner, commands)
    _complete_values(parser, commands)
    first = f"_shtab_tuneproof_pos_0_COMPGEN={shtab.glob('*.yaml', '*.yml')['bash']}" if shell == "bash" else ""
    return str(shtab.complete(parser, shell=shell, preamble=first))


def _complete_values(parser: Parser, commands: Mapping[str, Command]) -> None:
    import shtab

    for action in parser.arguments():
        match action.metavar:
            case name if name in FOLDERS:
                complete = shtab.DIRECTORY
            case name if name in CASES:
                complete = shtab.glob("*.yaml", "*.yml")
            case name if name in FILES:
                complete = shtab.FILE
            case "STAGE":
                action.choices = list(Stage)
                continue
            case "GROUP":
                action.choices = list(Group)
                continue
            case "COMMAND":
                action.choices = list(commands)
                continue
            case _:
                continue
        # The attribute that shtab looks for.
        action.complete = complete  # type: ignore[attr-defined]
