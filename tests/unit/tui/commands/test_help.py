"""Help: one page for all commands, and for each its arguments with examples that work; what is misspelt is named."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tuneproof.engine.core.errors import ExitCode, UsageError
from tuneproof.tui import cli
from tuneproof.tui.commands.command import Command
from tuneproof.tui.commands.help import EXIT_CODES
from tuneproof.tui.commands.registry import COMMANDS
from tuneproof.tui.commands.wizard import WIZARD

ALL = pytest.mark.parametrize("command", [WIZARD, *COMMANDS.values()], ids=lambda command: command.name or "wizard")


@ALL
def test_help_shows_the_summary_every_option_and_the_examples(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run([*filter(None, [command.name]), "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0 and command.summary in shown and command.examples
    options = [option for action in command.parser().arguments() for option in action.option_strings]
    assert all(text in shown for text in [*options, *(example.line for example in command.examples)])


@ALL
def test_the_examples_are_commands_that_parse(command: Command) -> None:
    for example in command.examples:
        line = example.line.partition(" > ")[0].removeprefix('eval "$(').removesuffix(')"')
        program, *words = shlex.split(line)
        assert program == "tuneproof" and words[: bool(command.name)] == [command.name][: bool(command.name)]
        command.parser().parse_args(words[bool(command.name) :])


def test_one_page_names_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["help"]) == 0
    page = capsys.readouterr().out
    assert all(f"tuneproof {command.usage}" in page and command.summary.rstrip(".") in page for command in COMMANDS.values())
    assert set(EXIT_CODES) == set(ExitCode) and all(f"{code} {what}" in page.replace("\n", " ") for code, what in EXIT_CODES.items())
    assert len(page.splitlines()) < 50 and max(map(len, page.splitlines())) <= 140


def test_help_of_a_command_is_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["help", "audit"]) == 0
    assert capsys.readouterr().out == COMMANDS["audit"].parser().format_help()


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        (["adit", "x"], "`adit` is not a command", "did you mean `tuneproof audit`?"),
        (["verfy", "runs/one"], "`verfy` is not a command", "did you mean `tuneproof verify`?"),
        (["help", "rnus"], "`rnus` is not a command", "did you mean `tuneproof runs`?"),
        (["frobnicate"], "`frobnicate` is not a command", "list them with: tuneproof help"),
        (["audit", "x", "--jsno"], "unrecognized arguments: --jsno", "did you mean `--json`?"),
        (["--replya=x"], "unrecognized arguments: --replya=x", "did you mean `--replay`?"),
        (["--res", "--replay", "x"], "unrecognized arguments: --res", "did you mean `--resume`?"),
    ],
)
def test_what_is_misspelt_is_named(words: list[str], what: str, fix: str) -> None:
    with pytest.raises(UsageError) as error:
        cli.run(words)
    assert (error.value.what, error.value.fix) == (what, fix)


def test_a_file_or_a_sample_case_is_never_taken_for_a_misspelt_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("adit").write_text("name: x")
    for word in ("adit", "route_only"):
        with pytest.raises(UsageError, match="the wizard needs a terminal"):
            cli.run([word])
