"""The documentation: links lead somewhere, what it names exists, commands parse, cases load, and the picture is current."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from textual.binding import Binding

from tests.architecture import PICTURE, engine_drawing, shell_drawing, svg
from tests.conftest import ROOT, tuneproof
from tests.markdown import Page
from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS
from tuneproof.engine.audit.registry import CHECKS
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.steps import screen_of
from tuneproof.tui import cli
from tuneproof.tui.commands.parser import Parser
from tuneproof.tui.commands.registry import COMMANDS

PAGES = [Page(ROOT / name) for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + [
    Page(path) for path in sorted((ROOT / "docs").glob("*.md"))
]
FOLDERS = ("engine", "screens", "tui", "tests", "sample_cases", "docs", "pictures")
ALL_PAGES = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)


def page(name: str) -> Page:
    return Page(ROOT / "docs" / name)


class Parsed(Exception):
    """The real parser has taken a command; it is not run."""


@pytest.fixture
def parser_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line, up to where its words are parsed."""
    parse = Parser.parse_args

    def stop_after_parsing(self: Parser, *given: Any) -> None:
        parse(self, *given)
        raise Parsed

    monkeypatch.setattr(Parser, "parse_args", stop_after_parsing)


def commands_of(program: str, page: Page) -> Iterator[list[str]]:
    """The words after the program's name, for each command on the page: lines of code blocks, and code in the text."""
    for line in [line for block in page.blocks for line in block.text.splitlines()] + page.code:
        command = line.removeprefix("$ ")
        if command == program or command.startswith(f"{program} "):
            yield shlex.split(command.partition(" > ")[0], comments=True)[1:]


@ALL_PAGES
def test_links_lead_to_a_file_and_a_heading(page: Page) -> None:
    for link in page.links:
        if not link.startswith(("https://", "http://")):
            path, _, anchor = link.partition("#")
            target = (page.path.parent / path).resolve() if path else page.path
            assert target.exists(), link
            assert not anchor or anchor in Page(target).anchors, link


@ALL_PAGES
def test_every_file_and_module_named_exists(page: Page) -> None:
    for code in page.code:
        if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]*", code):
            assert (ROOT / code).exists(), code
        if re.fullmatch(r"tuneproof(\.\w+)+", code):
            assert find_spec(code), code


@ALL_PAGES
def test_every_command_of_the_program_parses(page: Page, parser_only: None) -> None:
    if page.path.name == "contract.md":
        pytest.skip("it shows the forms of commands, which tests/unit/test_contract.py compares with their help")
    for words in commands_of("tuneproof", page):
        # A page may speak of a command by its name alone.
        if len(words) > 1 or not words or words[0] not in COMMANDS:
            with pytest.raises(Parsed):
                cli.run(words)


@ALL_PAGES
def test_every_make_target_exists(page: Page) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {word for words in commands_of("make", page) for word in words if "=" not in word} <= targets


@ALL_PAGES
def test_every_python_module_to_run_exists(page: Page) -> None:
    for words in commands_of("python", page):
        assert words[0] != "-m" or find_spec(words[1]), words


@ALL_PAGES
def test_every_path_given_to_pytest_exists(page: Page) -> None:
    for words in commands_of("pytest", page):
        assert all((ROOT / word.partition("::")[0]).exists() for word in words if "/" in word), words


@ALL_PAGES
def test_every_extra_to_install_exists(page: Page) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for words in commands_of("pip", page):
        for extra in re.findall(r"\[(\w+)\]", " ".join(words)):
            assert extra in extras, words


@pytest.mark.parametrize("name", ["sample-cases.md"])
def test_a_session_shown_is_what_the_program_prints(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sample_cases", tmp_path / "sample_cases", ignore=shutil.ignore_patterns("model", "__pycache__"))
    sessions = [block.text for block in page(name).blocks if block.language == "console"]
    assert sessions
    for session in sessions:
        command, _, shown = session.removeprefix("$ ").partition("\n")
        result = tuneproof(*shlex.split(command)[1:], cwd=tmp_path)
        assert result.out.strip() == shown.strip(), result.err


@ALL_PAGES
def test_every_case_shown_loads(page: Page) -> None:
    needed: dict[str, Any] = {
        "name": "shown",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "model": {"base": "sample"},
    }
    for block in page.blocks:
        if block.language == "yaml":
            Case.model_validate(needed | yaml.safe_load(block.text))


def keys_of(section: type[BaseModel], before: str = "") -> Iterator[str]:
    """The dotted keys of a section of the case file, without those of sections inside lists."""
    for name, field in section.model_fields.items():
        key = before + (field.alias or name)
        parts = get_args(field.annotation) if isinstance(field.annotation, UnionType) else (field.annotation,)
        inner = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
        yield from keys_of(inner[0], f"{key}.") if inner else [key]


def test_the_page_of_the_case_file_has_every_key_and_no_other() -> None:
    sections = {key.partition(".")[0] for key in keys_of(Case)}
    named = {code for code in page("case-file.md").code if code.partition(".")[0] in sections and "=" not in code}
    assert named - sections | {"baselines", "prompts"} == {key for key in keys_of(Case) if key not in ("version", "name")}


@ALL_PAGES
def test_every_key_of_a_case_that_is_named_exists(page: Page) -> None:
    keys = set(keys_of(Case))
    sections = {key.rpartition(".")[0] for key in keys}
    tops = {key.partition(".")[0] for key in keys}
    for code in page.code:
        key = re.split(r"[:=]", code)[0]
        is_file = Path(key).suffix in (".json", ".jsonl", ".md", ".yaml", ".py", ".safetensors")
        if re.fullmatch(r"[a-z]+(\.[a-z_]+)+", key) and key.partition(".")[0] in tops and not is_file:
            assert key in keys | sections, code


def test_every_check_of_the_audit_is_listed_with_its_severity() -> None:
    import tuneproof.engine.audit.checks

    assert tuneproof.engine.audit.checks
    shown = {name.strip("`"): severity for name, severity, _ in page("data.md").table("check")}
    out = {True: ", rows left out", False: ""}
    assert shown == {check.name: check.severity.value + out[check.always_leaves_out] for check in CHECKS.values()}


def test_every_arm_is_listed() -> None:
    assert [row[0].strip("`") for row in page("arms.md").table("arm")] == [*UNTUNED_ARMS, *TUNED_ARMS]


def test_every_method_is_listed_with_what_it_trains_and_its_learning_rate() -> None:
    shown = {row[0].strip("`"): (row[1], float(row[3])) for row in page("methods.md").table("method")}
    assert shown == {name: (method.trains, float(method.learning_rate.value)) for name, method in METHODS.items()}


def test_every_published_result_is_listed_with_its_interval() -> None:
    shown = {row[0].strip("`"): row[4] for row in page("methods.md").table("method")}
    for name, method in METHODS.items():
        if method.published is None:
            assert shown[name] == "none"
        else:
            rate = method.published.accuracy
            expected = f"{100 * rate.estimate:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}], {method.published.setting}"
            assert shown[name] == expected


@pytest.mark.parametrize("step", WizardStep)
def test_the_keys_of_a_step_are_listed_as_its_screen_names_them(step: WizardStep) -> None:
    shown = dict(page("wizard.md").table("step"))[step.value]
    bindings = [each for each in screen_of(step).BINDINGS if isinstance(each, Binding) and each.show]
    assert shown == ", ".join(f"`{each.key}` {each.description[0].lower()}{each.description[1:]}" for each in bindings)


def test_every_exit_code_is_listed() -> None:
    assert [int(row[0]) for row in Page(ROOT / "README.md").table("exit code")] == [int(code) for code in ExitCode]


def test_the_readme_lists_every_command() -> None:
    listed = (ROOT / "README.md").read_text().partition("## Commands")[2].partition("## Where to read on")[0]
    assert [name for name in COMMANDS if f"\ntuneproof {name} " not in listed] == []


def test_the_28_features_are_where_the_list_says() -> None:
    rows = list(page("architecture.md").table("Where is …"))
    assert len(rows) == 28
    places = [(file.strip("`"), name.strip("`")) for _, file, name in rows]
    assert not [(file, name) for file, name in places if name not in defined_in(ROOT / file)]


def defined_in(path: Path) -> set[str]:
    """The names of the classes, functions and constants of a module, and of methods, with their class before them."""
    return set(_names(ast.parse(path.read_text(encoding="utf-8"))))


def _names(scope: ast.Module | ast.ClassDef, before: str = "") -> Iterator[str]:
    for node in scope.body:
        match node:
            case ast.ClassDef():
                yield before + node.name
                yield from _names(node, f"{node.name}.")
            case ast.FunctionDef():
                yield before + node.name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield before + name


def test_the_engine_has_eleven_layers_and_no_import_points_up() -> None:
    drawing = engine_drawing()
    assert len(drawing.rows) == 11
    assert not drawing.pointing_up()


def test_the_table_of_packages_has_the_layers_of_the_contract() -> None:
    shown = [(layer, package.strip("`/").removesuffix(".py")) for layer, package, _ in page("architecture.md").table("layer")]
    layers = [(str(number), module) for number, row in enumerate(engine_drawing().rows, 1) for module in row]
    assert shown[1:] == [(layer, module.removeprefix("tuneproof.").replace(".", "/")) for layer, module in layers]


def test_the_shell_imports_only_what_is_below_it() -> None:
    assert not shell_drawing().pointing_up()


def test_the_picture_of_the_layers_is_current() -> None:
    assert PICTURE.read_text(encoding="utf-8") == svg(), f"draw it again: {Path(sys.executable).name} -m tests.architecture"
