"""In a real terminal: a run outlives it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from tests.conftest import COMMAND, sample_case, tuneproof
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Launched

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="TMUX IS MISSING: the terminal tests need it (apt-get install tmux)")


class Terminal:
    """A separate tmux server with one pane of 80×24."""

    def __init__(self, folder: Path) -> None:
        self._socket, self._folder = f"tuneproof-{uuid.uuid4().hex[:8]}", folder

    def run(self, *words: object) -> None:
        """Starts a command in a new server."""
        command = " ".join(map(str, words))
        self._tmux("new-session", "-d", "-s", "t", "-x", "80", "-y", "24", "-c", str(self._folder), f"{command}; sleep 600")

    def press(self, *keys: str) -> None:
        """Presses keys."""
        self._tmux("send-keys", "-t", "t", *keys)

    @property
    def picture(self) -> str:
        """What the pane shows."""
        return self._tmux("capture-pane", "-t", "t", "-p")

    def wait_for(self, text: str, seconds: float = 180) -> None:
        """Returns once the pane shows the text."""
        wait_until(lambda: text in self.picture, lambda: f"`{text}` in:\n{self.picture}", seconds)

    def kill(self) -> None:
        """Kills the server with everything in it."""
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True)

    def _tmux(self, *words: str) -> str:
        return subprocess.run(["tmux", "-L", self._socket, *words], capture_output=True, text=True, check=True).stdout


def wait_until(holds: Callable[[], bool], what: Callable[[], str], seconds: float) -> None:
    """Returns once the condition holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(0.1)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Callable[[], Terminal]]:
    """Makes terminals, and kills them at the end."""
    made: list[Terminal] = []

    def make() -> Terminal:
        made.append(Terminal(tmp_path))
        return made[-1]

    yield make
    for terminal in made:
        terminal.kill()


@pytest.mark.long
def test_a_training_outlives_its_terminal_and_can_be_watched_again(tmp_path: Path, terminals: Callable[[], Terminal]) -> None:
    words = ["--replay", sample_case(), "--run-dir", "runs/a", "--until", "baselines", "--set", "training.epochs=12"]
    assert tuneproof(*words, "--set", "baselines=[zero_shot]", cwd=tmp_path).code == 0
    first = terminals()
    first.run(COMMAND, "runs/a")
    first.wait_for("Methods for this base")
    first.press("c")
    first.wait_for("t starts: lora, 12 epochs")
    first.press("t")
    first.wait_for("safe to close this")
    log = EventReader(tmp_path / "runs" / "a" / "events.jsonl")
    worker = psutil.Process([event for event in log.read() if isinstance(event, Launched)][-1].pid)
    first.kill()
    assert worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE
    assert "running" in tuneproof("runs", cwd=tmp_path).out
    again = terminals()
    again.run(COMMAND, "attach", "runs/a")
    again.wait_for("On 24 validation cases")
    again.wait_for("done; press c to go to the card")
    assert "72 of 72" in again.picture
    again.press("c")
    again.wait_for("tune: tuned answers")
    again.press("q")
    again.wait_for("open it again with: tuneproof attach runs/a")
    listed = tuneproof("runs", cwd=tmp_path).out
    assert "finished" in listed and "tune" in listed


def test_the_wizard_without_a_terminal_recommends_replay() -> None:
    assert "--replay" in tuneproof().err


@pytest.mark.long
def test_an_instruction_is_written_in_the_editor_of_the_user(tmp_path: Path, terminals: Callable[[], Terminal]) -> None:
    rows = [{"input": f"Is {n} even?", "output": "no" if n % 2 else "yes"} for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    case = {"decision": {"private_facts": False, "format_drift": True, "stable_task": True}, "data": {"examples": "rows.jsonl"}}
    (tmp_path / "even.yaml").write_text(yaml.safe_dump(case | {"task": {"output": {"kind": "choice"}}, "model": {"base": "sample"}}))
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf 'Sort the numbers.\\nRules:\\n- even is yes\\n' > \"$1\"\n")
    editor.chmod(0o755)
    terminal = terminals()
    terminal.run(f"VISUAL={editor}", COMMAND, "even.yaml")
    terminal.wait_for("press c to continue to the audit")
    terminal.press("4")
    terminal.wait_for("press f to freeze")
    terminal.press("E")
    terminal.wait_for("instruction, 3 lines")
    terminal.press("q")
    wait_until(lambda: "- even is yes" in (tmp_path / "even.yaml").read_text(), lambda: terminal.picture, 60)
    assert load_case(tmp_path / "even.yaml").task == Task(
        instruction="Sort the numbers.\nRules:\n- even is yes", output=OutputFormat(kind=OutputKind.CHOICE)
    )
