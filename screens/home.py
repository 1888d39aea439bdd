"""Home: begin a case, open one, look at what ran."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

import tuneproof.sample_cases
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitize

if TYPE_CHECKING:
    from tuneproof.engine.run.listing import RunSummary
    from tuneproof.screens.wizard import Wizard

HELP = """
**tuneproof** answers four questions with measurements: should I fine-tune at all, is my data fit for it, which method fits this machine,
and did it beat the best prompt?

- A **case** is one problem, kept in a YAML file: your answers, your data, your targets. It is saved at every answer.
- A **run** is one folder under `runs/` that holds everything a case produced. A run goes on when this terminal is closed.
- The **sample cases** need no network and no GPU. They show how the program works, not what a real model would do.

`running` is at work now, `stopped` was asked to stop and can be resumed, `failed` met a limit and says which, `crashed` is a worker that
died without a word and can be resumed, `finished` did what it was asked.
"""

RUNS_SHOWN = 200


class HomeScreen(Screen[None]):
    """The first picture: nothing here waits for a library or a disk for long."""

    HELP_TEXT = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_case", "New case"),
        Binding("o", "open_case", "Open a case"),
        Binding("r", "read_runs", "Refresh"),
    ]

    _has_read = False

    def compose(self) -> ComposeResult:
        yield Static(" tuneproof   should you fine-tune? measured, not guessed", id="title")
        yield Static(id="machine")
        yield OptionList(id="home")
        yield Static(" enter opens what is marked; a run goes on when you leave", id="said")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#home", OptionList).border_title = "Begin, or go on"
        self.show_machine()
        self._list([], "Recent runs: reading …")

    def on_screen_resume(self) -> None:
        # At first the app says when: what reads a run takes longer to import than the first picture takes to paint.
        if self._has_read:
            self.action_read_runs()

    def show_machine(self) -> None:
        """Draws the line about the machine."""
        self.query_one("#machine", Static).update(f" this machine: {self._wizard.machine_line or '…'}")

    @property
    def _wizard(self) -> Wizard:
        return cast("Wizard", self.app)

    def action_read_runs(self) -> None:
        self._has_read = True
        self._list(*_recent_runs())

    def _list(self, runs: list[RunSummary], head: str) -> None:
        listed = self.query_one("#home", OptionList)
        marked = listed.highlighted
        listed.clear_options()
        listed.add_option(Option("n  new case", id="new"))
        listed.add_option(Option("o  open a case file or a run folder", id="open"))
        listed.add_option(Option(Content.styled("Sample cases", "bold"), disabled=True))
        for name in sample_names():
            listed.add_option(Option(f"   {name}", id=f"sample:{name}"))
        listed.add_option(Option(Content.styled(head, "bold"), disabled=True))
        for run in runs:
            listed.add_option(Option(run_line(run, time.time()), id=f"run:{run.path}"))
        listed.highlighted = min(marked or 0, listed.option_count - 1)

    @on(OptionList.OptionSelected, "#home")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        kind, _, what = str(event.option.id).partition(":")
        match kind:
            case "new":
                self.action_new_case()
            case "open":
                self.action_open_case()
            case "sample":
                self._wizard.open_case(samples_folder() / f"{what}.yaml", copy=True)
            case "run":
                self._wizard.open_run(Path(what))

    def action_new_case(self) -> None:
        from tuneproof.screens.ask import AskLine

        why = "A name for the case, as you would call it in a mail. It becomes the name of its file here."
        self.app.push_screen(AskLine("New case", why, placeholder="support tickets"), self._named)

    def action_open_case(self) -> None:
        from tuneproof.screens.pick import PickScreen

        self.app.push_screen(PickScreen("A case file, or a run folder", (".yaml", ".yml"), folders=True), self._picked)

    def _named(self, name: str | None) -> None:
        if name is not None:
            self._wizard.new_case(name)

    def _picked(self, path: Path | None) -> None:
        if path is None:
            return
        if path.is_dir():
            self._wizard.open_run(path)
        else:
            self._wizard.open_case(path)


def samples_folder() -> Path:
    """Where the cases that ship lie."""
    return Path(tuneproof.sample_cases.__file__).parent


def sample_names() -> list[str]:
    """The cases that ship, without their ending."""
    return sorted(path.stem for path in samples_folder().glob("*.yaml"))


def _recent_runs() -> tuple[list[RunSummary], str]:
    """The runs of the folder where one stands, and what to call them."""
    from tuneproof.engine.run.listing import list_runs

    try:
        runs = list_runs(Path("runs"))[:RUNS_SHOWN]
    except TuneproofError as error:
        return [], sanitize(f"Recent runs: {error}", one_line=True)
    return runs, "Recent runs" if runs else "No run in ./runs yet"


def run_line(run: RunSummary, now: float) -> Content:
    """A run in one line: name, state, stage, verdict, when."""
    stage = run.stage.value if run.stage else ""
    name = sanitize(run.path.name, one_line=True, max_length=30)
    line = f"   {name:<30} {run.status.value:<9} {stage:<10} {run.verdict or '':<13} {ago(now - run.updated)}"
    return Content.styled(line, "bold" if run.status.value == "running" else "")


def ago(seconds: float) -> str:
    """A time past, as people say it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"
