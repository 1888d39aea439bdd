"""A command: its name, what it does in a line, its arguments, its action and examples. Help and completion are made from this."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from tuneproof.tui.commands.parser import Parser


@dataclass(frozen=True)
class Example:
    """A whole command line that works, and what it does."""

    line: str
    what: str


@dataclass(frozen=True)
class Command:
    """What `tuneproof NAME` is."""

    name: str
    """Its first word; empty for what `tuneproof` does without one."""
    summary: str
    """What it does, in one line."""
    examples: tuple[Example, ...]
    add_arguments: Callable[[Parser], None]
    act: Callable[[argparse.Namespace], int]
    """Does it and returns the exit code; whatever takes long to import is imported in there."""
    about: str = ""
    """What `--help` says besides the summary."""

    @property
    def prog(self) -> str:
        """The words before its arguments."""
        return f"tuneproof {self.name}".strip()

    @property
    def usage(self) -> str:
        """Its name with the arguments that it needs: `reproduce RUN --arm ARM`."""
        parser = self.parser()
        needed = [_needed(action) for action in parser.arguments() if not action.option_strings or action.required]
        one_of = [" or ".join(map(_needed, group._group_actions)) for group in parser._mutually_exclusive_groups if group.required]
        return " ".join([self.name, *(f"({each})" for each in one_of), *needed]).strip()

    def parser(self) -> Parser:
        """Its parser, whose help ends with the examples."""
        width = max(len(each.line) for each in self.examples)
        examples = "\n".join(f"  {each.line:<{width}}  # {each.what}" for each in self.examples)
        description = f"{self.summary}\n\n{self.about}" if self.about else self.summary
        parser = Parser(self.prog, description, f"examples:\n{examples}")
        self.add_arguments(parser)
        return parser

    def run(self, words: list[str]) -> int:
        """Parses the words after its name and does it. Raises a TuneproofError for any mistake of the user."""
        return self.act(self.parser().parse_args(words))


def _needed(action: argparse.Action) -> str:
    metavar = str(action.metavar or action.dest)
    named = " ".join([*action.option_strings[:1], metavar])
    many = "…" if action.nargs in ("+", "*") else ""
    is_optional = not action.option_strings and action.nargs in ("?", "*")
    return f"[{named}{many}]" if is_optional else f"{named}{many}"
