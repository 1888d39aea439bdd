"""`tuneproof judge`: the whole card for an adapter or a model that was trained elsewhere."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tuneproof.engine.core.errors import UsageError
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.find_case import find_case
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--adapter", metavar="DIR", type=Path, help="the folder of an adapter, as PEFT's save_pretrained wrote it")
    given.add_argument("--model", metavar="DIR", type=Path, help="the folder of a fine-tuned or merged model")
    parser.add_argument("--case", metavar="CASE.yaml", type=Path, required=True, help="the case: task, data, base and baselines")
    parser.add_argument("--run-dir", metavar="DIR", type=Path, help="the run folder (default: runs/<case name>-<number>)")
    parser.add_argument("--resume", action="store_true", help="resume the run in --run-dir")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="override a field of the case")
    parser.add_json()


def _act(options: argparse.Namespace) -> int:
    case, folder = find_case(options.case), _folder(options)
    from tuneproof.tui.replay import replay

    # JSON is YAML, whatever characters a path has.
    given = f"method.trained={json.dumps(str(folder))}"
    return replay(case, run_dir=options.run_dir, until=None, resume=options.resume, overrides=[*options.set, given], as_json=options.json)


def _folder(options: argparse.Namespace) -> Path:
    """The folder that is given, which has what its option says. Raises UsageError if it does not."""
    from tuneproof.engine.methods.trained_elsewhere import ADAPTER_CONFIG

    folder: Path = (options.adapter or options.model).absolute()
    is_adapter = (folder / ADAPTER_CONFIG).is_file()
    if options.adapter and folder.is_dir() and not is_adapter:
        raise UsageError(f"the folder has no {ADAPTER_CONFIG}", where=str(folder), fix="a fine-tuned or merged model is given with --model")
    if options.model and is_adapter:
        raise UsageError("the folder has an adapter", where=str(folder), fix="give it with --adapter")
    return folder


JUDGE = Command(
    "judge",
    "Measure an adapter or a model that was trained elsewhere, with the whole card.",
    (
        Example("tuneproof judge --adapter ./adapter --case case.yaml", "an adapter of the base in the case"),
        Example("tuneproof judge --model ./merged --case case.yaml", "a model in place of the base"),
    ),
    _add_arguments,
    _act,
    about="The case is replayed with the given model in place of a training.",
)
