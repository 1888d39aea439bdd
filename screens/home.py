"""Home: start a case, open one, look at recent runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.session.sample_cases import SAMPLE_CASES
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

if TYPE_CHECKING:
    from tuneproof.engine.run.listing import RunSummary
    from tuneproof.engine.session.drafts import FoundCase
    from tuneproof.screens.wizard import Wizard

HELP = """
**tuneproof** answers four questions with measurements: should I fine-tune at all, is my data good enough, which method fits this machine,
and did it beat the best prompt?

- A **case** is one problem in a YAML file: your answers, your data, your target. It is saved after every answer.
- **This machine** (m): GPU, libraries, cluster, disk, memory, hub and terminal, each good, limited or missing, and what to do about it.
- A **run** is a folder in `runs/` with everything that a case produced. A run continues when you close this terminal.
- The **sample cases** need no network and no GPU. They show how the program works, not what a real model would do.
- The **tour** (t) takes you through the first of them, from its questions to its card, with a sentence at each step. It takes about ten
  minutes, most of them yours.

A `running` run has a worker now. A `stopped` run was stopped on request and can be resumed. A `failed` run met a limit and says which. In
a `crashed` run the worker died without a message; it can be resumed. A `finished` run did all the stages it was started for.
"""

RUNS_SHOWN = 200
CASES_SHOWN = 50


class HomeScreen(Screen[None]):
    """The first screen: it does not wait long for a library or a disk."""

    HELP_TEXT = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_case", "New case"),
        Binding("o", "open_case", "Open a case"),
        Binding("t", "tour", "Tour"),
        Binding("r", "read_runs", "Refresh"),
        Binding("m", "machine", "This machine"),
    ]

    _has_read = False

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble(" ", Meaning.HEADING.text("tuneproof"), "   should you fine-tune? measured, not guessed"), id="title")
        yield Static(id="machine", markup=False)
        with Container(id="home-panels"):
            yield OptionList(id="home")
            yield Static(id="about-entry", classes="panel")
        yield Static("enter opens the highlighted line; a run continues when you leave", id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#home", OptionList).border_title = "Start or continue"
        self.query_one("#about-entry").border_title = "The highlighted line"
        self.show_machine()
        self._list([], [], "Recent runs: reading …")

    def on_screen_resume(self) -> None:
        # The app starts the first reading: importing what reads a run takes longer than drawing this screen.
        if self._has_read:
            self.action_read_runs()

    def show_machine(self) -> None:
        """Draws the line about the machine."""
        self.query_one("#machine", Static).update(f" this machine: {self._wizard.machine_line or '…'}   m: what it can run")

    @property
    def _wizard(self) -> Wizard:
        return cast("Wizard", self.app)

    def action_read_runs(self) -> None:
        self._has_read = True
        runs, head = _recent_runs()
        self._list(_cases_here(runs), runs, head)

    def _list(self, cases: list[FoundCase], runs: list[RunSummary], head: str) -> None:
        listed = self.query_one("#home", OptionList)
        marked = listed.highlighted
        listed.clear_options()
        listed.add_option(Option(_key_line("n", "new case"), id="new"))
        listed.add_option(Option(_key_line("o", "open a case file or a run folder"), id="open"))
        listed.add_option(Option(_key_line("t", "tour: a case from its questions to its card, in ten minutes"), id="tour"))
        running = [run for run in runs if run.is_running]
        if running:
            _list_runs(listed, "Running now", running)
        if cases:
            listed.add_option(Option(Meaning.HEADING.text("Cases in this folder"), disabled=True))
        for case in cases:
            listed.add_option(Option(_case_line(case), id=f"case:{case.path}"))
        listed.add_option(Option(Meaning.HEADING.text("Sample cases"), disabled=True))
        for sample in SAMPLE_CASES:
            listed.add_option(
                Option(Content.assemble(f"   {sample.name:<18}", (sample.lesson, Meaning.MUTED.style)), id=f"sample:{sample.name}")
            )
        others = [run for run in runs if run not in running]
        if others or not runs:
            _list_runs(listed, head, others)
        listed.highlighted = min(marked or 0, listed.option_count - 1)

    @on(OptionList.OptionSelected, "#home")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        kind, _, what = str(event.option.id).partition(":")
        match kind:
            case "new":
                self.action_new_case()
            case "open":
                self.action_open_case()
            case "tour":
                self.action_tour()
            case "sample":
                self._wizard.open_case(next(each.path for each in SAMPLE_CASES if each.name == what), copy=True)
            case "case":
                self._wizard.open_case(Path(what))
            case "run":
                self._wizard.open_run(Path(what))

    @on(OptionList.OptionHighlighted, "#home")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        kind, _, what = str(event.option.id).partition(":")
        self.query_one("#about-entry", Static).update(sanitized_content(_about(kind, what)))

    def action_tour(self) -> None:
        self._wizard.start_tour()

    def action_machine(self) -> None:
        from tuneproof.screens.doctor import DoctorScreen

        self.app.push_screen(DoctorScreen())

    def action_new_case(self) -> None:
        from tuneproof.engine.session.input_check import check_case_name
        from tuneproof.screens.ask import AskLine

        why = "A short name for the case. It also names its file in this folder."
        self.app.push_screen(AskLine("New case", why, placeholder="support tickets", check=check_case_name), self._name_entered)

    def action_open_case(self) -> None:
        from tuneproof.screens.pick import PickScreen

        self.app.push_screen(PickScreen("A case file, or a run folder", (".yaml", ".yml"), folders=True), self._file_picked)

    def _name_entered(self, name: str | None) -> None:
        if name is not None:
            self._wizard.new_case(name)

    def _file_picked(self, path: Path | None) -> None:
        if path is None:
            return
        if path.is_dir():
            self._wizard.open_run(path)
        else:
            self._wizard.open_case(path)


ABOUT = {
    "new": "Answer twelve questions about a problem of yours; the wizard writes them to a case file in this folder."
    "\n\nEight steps lead from there to a verdict:\n"
    "1 Decide: what kind of fix is it?\n2 Data: which examples are there?\n3 Audit: are they good enough?\n"
    "4 Task: what is a right answer?\n5 Baselines: what can prompts do?\n6 Method: what would training take?\n"
    "7 Train: is it learning?\n8 Card: is it better, and good enough?",
    "open": "A case file that you or a colleague wrote, or the folder of a run.",
    "tour": "The sample case of a shop's support tickets, step by step, with a sentence at each: you press the keys.",
    "case": "A case file in this folder. It opens where you left it, with its newest run.",
    "run": "A run of this folder. It opens where it is: a running one can be watched, a stopped one goes on where it was.",
}


def _about(kind: str, what: str) -> str:
    """What the highlighted line is."""
    if kind == "sample":
        return next(each.about for each in SAMPLE_CASES if each.name == what)
    return f"{what}: {ABOUT[kind]}" if what else ABOUT.get(kind, "")


def _cases_here(runs: list[RunSummary]) -> list[FoundCase]:
    """The case files of the current folder, and what became of those that were run."""
    from tuneproof.engine.session.drafts import cases_in

    return cases_in(Path(), runs)[:CASES_SHOWN]


def _list_runs(listed: OptionList, head: str, runs: list[RunSummary]) -> None:
    listed.add_option(Option(Meaning.HEADING.text(head), disabled=True))
    for run in runs:
        listed.add_option(Option(run_line(run, time.time()), id=f"run:{run.path}"))


def _case_line(case: FoundCase) -> Content:
    """A case in one line of 76 columns: two cases can have one name, so that the whole name of the file has to be seen."""
    name, file = (sanitize(text, one_line=True, max_length=longest) for text, longest in ((case.name, 20), (case.path.name, 25)))
    return Content.assemble(f"   {name:<20} ", (f"{case.progress:<27} {file}", Meaning.MUTED.style))


def _recent_runs() -> tuple[list[RunSummary], str]:
    """The runs in `./runs`, and the heading of their list."""
    from tuneproof.engine.run.listing import list_runs

    try:
        runs = list_runs(Path("runs"))[:RUNS_SHOWN]
    except TuneproofError as error:
        return [], sanitize(f"Recent runs: {error}", one_line=True)
    return runs, "Recent runs" if runs else "No runs in ./runs yet"


def run_line(run: RunSummary, now: float) -> Content:
    """A run in one line: name, state, stage, verdict, when; under it, how good the answer of its verdict is."""
    from tuneproof.tui.meanings import OF_STATUS, verdict_meaning

    stage = run.stage.value if run.stage else ""
    name = sanitize(run.path.name, one_line=True, max_length=26)
    status = OF_STATUS[run.status]
    verdict = verdict_meaning(run.verdict).signed(f"{run.verdict:<14}") if run.verdict else Content(" " * 16)
    shown = Content.assemble(
        *(" ", status.text(status.sign), f" {name:<26} ", status.text(f"{run.status.value:<9}"), f" {stage:<10} "),
        *(verdict, " ", Meaning.MUTED.text(ago(now - run.updated))),
    )
    if run.headline is None:
        return shown
    return Content("\n").join(
        [shown, Content.styled(f"      {sanitize(run.headline, one_line=True, max_length=100)}", Meaning.MUTED.style)]
    )


def _key_line(key: str, what: str) -> Content:
    return Content.assemble(Meaning.HEADING.text(key), f"  {what}")


def ago(seconds: float) -> str:
    """A duration as people say it, in its largest unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"
