"""The parser of a command: mistakes are one line, and an option that does not exist names the nearest that does."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from tuneproof.engine.core.errors import UsageError

NEAR = 0.6
"""The least ratio of difflib at which a word counts as a misspelling of another; its own default."""


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError: one line, exit code 2. Options are written whole, so that a new option changes no old command."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        super().__init__(prog=prog, description=description, epilog=epilog, allow_abbrev=False, formatter_class=_Formatter)

    def parse_args(self, words: Any = None, namespace: Any = None) -> Any:
        options, unknown = self.parse_known_args(words, namespace)
        if unknown:
            near = nearest(unknown[0].partition("=")[0], self._option_string_actions)
            fix = f"did you mean `{near}`?" if near else f"see: {self.prog} --help"
            raise UsageError(f"unrecognized arguments: {' '.join(unknown)}", fix=fix)
        return options

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, fix=f"see: {self.prog} --help")

    def add_json(self) -> None:
        """Adds `--json`."""
        self.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")

    def arguments(self) -> Sequence[argparse.Action]:
        """Every option and argument that a user can give, without `--help`."""
        return [each for each in self._actions if not isinstance(each, argparse._HelpAction)]


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Texts as they are written, beside a column that is wide enough for most options."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, **{"max_help_position": 26} | settings)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that the word is most likely a misspelling of; None if it is like none of them."""
    return next(iter(difflib.get_close_matches(word[:100], list(known), n=1, cutoff=NEAR)), None)
