"""The contract: its page, the program and its help name the same commands, options, exit codes, keys and files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.markdown import Page
from tests.snapshots.record import FINISHED, TRAINING
from tests.unit.test_docs import keys_of
from tuneproof.engine.audit.report import Report, StoredFinding
from tuneproof.engine.case.published_schema import case_schema
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import ExitCode
from tuneproof.tui import cli
from tuneproof.tui.commands.help import EXIT_CODES
from tuneproof.tui.commands.registry import COMMANDS
from tuneproof.tui.commands.wizard import WIZARD

CONTRACT = Page(ROOT / "docs" / "contract.md")
OF_ENDPOINT = "the keys of `endpoint`"


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_command_is_listed_with_its_arguments_and_every_option() -> None:
    shown = {code(command)[0]: code(options) for command, options, _ in CONTRACT.table("command")}
    assert shown == {
        f"tuneproof {command.usage}".strip(): [option for action in command.parser().arguments() for option in action.option_strings]
        for command in (WIZARD, *COMMANDS.values())
    }


def test_every_exit_code_is_listed_with_its_meaning() -> None:
    shown = {int(number): meaning for number, meaning in CONTRACT.table("exit code")}
    assert shown == EXIT_CODES and set(shown) == set(ExitCode)


def listed_keys() -> Iterator[str]:
    rows = {(code(section) or [""])[0]: keys for section, keys in CONTRACT.table("section")}
    for section, keys in rows.items():
        same = rows["endpoint"] if keys == OF_ENDPOINT else keys
        yield from (f"{section}.{key}".removeprefix(".") for key in code(same))


def keys_of_schema(schema: dict[str, Any], part: dict[str, Any], before: str = "") -> Iterator[str]:
    """The dotted keys of a JSON Schema, without those that stand for another key (`compare: {number: ...}`)."""
    for key, value in part["properties"].items():
        names = [each["$ref"].rpartition("/")[2] for each in [value, *value.get("anyOf", []), *value.get("allOf", [])] if "$ref" in each]
        inner = [schema["$defs"][name] for name in names if schema["$defs"][name].get("type") == "object"]
        if key == "compare" and before == "task.":
            yield from ("task.compare.default", "task.compare.fields")
        elif inner and key != "metric":
            yield from keys_of_schema(schema, inner[0], f"{before}{key}.")
        else:
            yield before + key


def test_every_key_of_the_case_file_is_listed_and_is_in_the_schema() -> None:
    listed = list(listed_keys())
    assert sorted(listed) == sorted(keys_of(Case))
    assert sorted(listed) == sorted(keys_of_schema(case_schema(), case_schema()))


def test_every_file_of_the_contract_is_in_a_finished_run_and_on_the_page_of_the_run_folder() -> None:
    manifest = json.loads((FINISHED / "manifest.json").read_text(encoding="utf-8"))
    written = {path.relative_to(FINISHED).as_posix() for path in FINISHED.rglob("*") if path.is_file()}
    written |= {name for step in manifest["steps"].values() for name in step["files"]}
    files = [code(file)[0] for file, _ in CONTRACT.table("file")]
    assert files and [file for file in files if not any(_fits(file, name) for name in written)] == []
    described = {name for row in Page(ROOT / "docs" / "run-folder.md").table("file") for name in code(row[0])}
    # The page of the run folder names the folder of the splits, and no file in it.
    assert [file for file in files if file not in described and f"{file.partition('/')[0]}/" not in described] == []


def test_every_file_of_a_run_is_on_the_page_of_the_run_folder() -> None:
    described = [name for row in Page(ROOT / "docs" / "run-folder.md").table("file") for name in code(row[0])]
    # Files of an arm are named without its folder after the first.
    patterns = [*described, *(f"arms/<arm>/{name}" for name in described if "/" not in name)]
    written = {path.relative_to(run).as_posix() for run in (FINISHED, TRAINING) for path in run.rglob("*") if path.is_file()}
    assert [name for name in sorted(written) if not any(_fits(pattern, name) for pattern in patterns)] == []


def _fits(pattern: str, name: str) -> bool:
    """Whether a file has this name, or is in this folder; `<arm>` stands for any name."""
    expression = re.escape(pattern).replace(re.escape("<arm>"), "[a-z0-9_]+")
    return re.fullmatch(expression + (".+" if pattern.endswith("/") else ""), name) is not None


def listed_document(command: str) -> list[str]:
    [keys] = [keys for shown, keys in CONTRACT.table("document") if code(shown)[0].startswith(f"tuneproof {command}")]
    return [key for key in code(keys) if not key.endswith(".json")]


def test_the_documents_that_commands_print_have_the_keys_that_are_listed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(FINISHED)
    assert cli.main(["runs", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert listed_document("runs") == ["runs", *document["runs"][0]]
    assert cli.main(["doctor", "extras", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert listed_document("doctor") == ["lines", *document["lines"][0]]
    assert set(listed_document("audit")) <= {*Report.model_fields, *StoredFinding.model_fields}
