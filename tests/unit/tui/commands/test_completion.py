"""Completion: bash completes commands, options, values, folders and case files, and every shell gets a script."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from pathlib import Path

import pytest

from tuneproof.tui.commands.completion import CASES, FILES, FOLDERS, SHELLS, completion_script
from tuneproof.tui.commands.registry import COMMANDS
from tuneproof.tui.commands.wizard import WIZARD

SECONDS = 20.0
"""How long bash may be silent before the test fails."""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "tuneproof.bash"
    path.write_text(completion_script(WIZARD, COMMANDS, "bash"))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a case, another file and a folder."""
    (tmp_path / "tickets.yaml").touch()
    (tmp_path / "tickets.jsonl").touch()
    (tmp_path / "runs" / "one").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("tuneproof ver", {"verify"}),
        ("tuneproof ti", {"tickets.yaml"}),
        ("tuneproof ru", {"runs"}),
        ("tuneproof --unt", {"--until"}),
        ("tuneproof --until ev", {"evaluate"}),
        ("tuneproof --replay t", {"tickets.yaml"}),
        ("tuneproof --run-dir r", {"runs"}),
        ("tuneproof audit t", {"tickets.yaml", "tickets.jsonl"}),
        ("tuneproof audit --ne", {"--near"}),
        ("tuneproof audit --near c", {"c5"}),
        ("tuneproof verify runs/", {"runs/one"}),
        ("tuneproof help rep", {"reproduce"}),
    ],
)
def test_bash_completes(script: Path, folder: Path, line: str, completed: set[str]) -> None:
    words = line.split(" ")
    call = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _shtab_tuneproof; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "--norc", "-c", f"source {script}; {call}"], cwd=folder, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == completed


def test_tab_completes_in_an_interactive_bash(script: Path, folder: Path) -> None:
    terminal, inside = pty.openpty()
    bash = subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], stdin=inside, stdout=inside, stderr=inside, cwd=folder, close_fds=True)
    os.close(inside)
    try:
        os.write(terminal, f"source {script}\ntuneproof reprod\t--ar\t".encode())
        shown = b""
        while b"tuneproof reproduce --arm" not in shown and select.select([terminal], [], [], SECONDS)[0]:
            shown += os.read(terminal, 4096)
        assert b"tuneproof reproduce --arm" in shown, shown
    finally:
        bash.kill()
        bash.wait()
        os.close(terminal)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_that_names_every_command(shell: str) -> None:
    assert all(name in completion_script(WIZARD, COMMANDS, shell) for name in COMMANDS)


def test_every_path_that_a_command_takes_is_completed() -> None:
    paths = {action.metavar for command in (WIZARD, *COMMANDS.values()) for action in command.parser().arguments() if action.type is Path}
    assert paths <= {*FOLDERS, *CASES, *FILES}
