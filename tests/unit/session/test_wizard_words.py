"""What the engine says in options of the command line and keys of the case file is said in keys of the wizard on its screens."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core import errors
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.session.case_keys import case_keys
from tuneproof.engine.session.wizard_words import in_wizard

ERRORS = {name for name, made in vars(errors).items() if isinstance(made, type) and issubclass(made, TuneproofError)}
ONLY_HEADLESS = {
    "case/overrides.py",
    "case/schema_errors.py",
    "card/verify",
    "card/stored_card.py",
    "audit_runs/ray",
    "stages/pipeline.py",
    "export/",
    "run/signature.py",
    "trace/build.py",
    "trace/find_row.py",
    "trace/report.py",
}
"""Where what is said is about the command line itself, such as `--set`, `--until`, `--on`, or about a command that has no screen. The
wizard traces rows that it has shown."""

OPTION = re.compile(r"(?<!\S)[(`]?--[a-z]")
KEYS = re.compile("|".join(rf"(?<![\w/]){re.escape(key.name)}\b" for key in case_keys(DraftCase(name="any")) if "." in key.name))


def texts_of(module: Path) -> Iterator[str]:
    """The texts of every error that a module raises or makes; what is filled in is `x`."""
    for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS:
            parts = {part for text in ast.walk(call) if isinstance(text, ast.JoinedStr) for part in text.values}
            for text in ast.walk(call):
                if isinstance(text, ast.JoinedStr):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in text.values)
                elif isinstance(text, ast.Constant) and isinstance(text.value, str) and text not in parts:
                    yield text.value


def every_text() -> list[str]:
    engine = ROOT / "engine"
    modules = [path for path in engine.rglob("*.py") if not any(str(path.relative_to(engine)).startswith(each) for each in ONLY_HEADLESS)]
    return [text for module in sorted(modules) for text in texts_of(module)]


def test_no_error_that_a_screen_can_show_names_an_option_or_a_dotted_key() -> None:
    texts = every_text()
    assert sum(bool(OPTION.search(text) or KEYS.search(text)) for text in texts) > 20, "the walk finds the texts"
    left = [said for text in texts if OPTION.search(said := in_wizard(text)) or KEYS.search(said)]
    assert not left


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("make room, then add --resume", "make room, then press r to resume"),
        ("continue with --resume --run-dir my runs/a-1, and fewer rows", "press r to resume, and fewer rows"),
        (
            "the route is other; to train anyway, set method.even_if_routed_elsewhere: true",
            "the route is other; to train anyway, press e on step 8, and g on step 1 of the new run",
        ),
        ("lower training.epochs or set training.max_steps", "lower epochs or set max_steps; k lists all keys"),
        ("there is no file data.eval.jsonl", "there is no file data.eval.jsonl"),
        ("cannot read /tmp/model.base", "cannot read /tmp/model.base"),
        ("model.base: no.such: not found", "base: no.such: not found; k lists all keys"),
    ],
)
def test_options_and_keys_are_said_in_the_wizards_words_and_names_of_files_stay(said: str, wanted: str) -> None:
    assert in_wizard(said) == wanted
