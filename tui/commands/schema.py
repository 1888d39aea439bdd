"""`tuneproof schema`: the JSON Schema of the case file."""

from __future__ import annotations

import argparse

from tuneproof.engine.core.errors import ExitCode
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    """It has none."""


def _act(options: argparse.Namespace) -> int:
    import json

    from tuneproof.engine.case.published_schema import case_schema

    print(json.dumps(case_schema(), indent=1, ensure_ascii=False))
    return int(ExitCode.DONE)


SCHEMA = Command(
    "schema",
    "Print the JSON Schema of the case file, for editors.",
    (Example("tuneproof schema > case.schema.json", "then begin a case with: # yaml-language-server: $schema=case.schema.json"),),
    _add_arguments,
    _act,
)
