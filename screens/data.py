"""Step 2: which file, in which shape, and what the model will see of it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuneproof.engine.case.data import Columns, Data
from tuneproof.engine.case.schema import SAMPLE, ModelChoice
from tuneproof.engine.core.errors import ShapeUnknown, TuneproofError
from tuneproof.engine.data.files import READERS
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.session.steps import Step
from tuneproof.screens.ask import AskLine
from tuneproof.screens.pick import PickScreen
from tuneproof.screens.step import StepScreen
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

ENDINGS = [ending + packed for ending in READERS for packed in ("", ".gz", ".zst")]


class DataScreen(StepScreen):
    """Chooses the data and shows it as it will reach the model."""

    STEP = Step.DATA
    HELP_TEXT = f"""
**What a model is tuned on**: examples, each a request and the answer you would have wanted.

- **Formats**: {", ".join(READERS)}, each also with `.gz` or `.zst`; a folder of such files; or a hub name.
- **Shape**: how a record is written. `messages` (OpenAI chat), `conversations` (ShareGPT), `instruction/input/output` (Alpaca),
  `prompt/completion` are told by their keys. Where the keys say nothing, press m and say which column is which.
- **As it reaches the model**: the exact text after the base model's *chat template*. Before the base is known it is shown plain.
- **Lengths** are counted in *tokens*, the pieces a model reads; a tenth of a page is about 50. Before the base is known, in characters.
- **A separate eval file** is one you already keep apart for testing. Without one, a part of the examples is set aside and frozen.
- **Base model**: the model you start from: a folder, a hub name, or `{SAMPLE}`, the small one that ships and only shows how it all works.

Nothing here changes your files.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "pick_examples", "File"),
        Binding("v", "pick_eval", "Eval file"),
        Binding("m", "map_columns", "Columns"),
        Binding("b", "choose_base", "Base"),
        Binding("p", "type_path", "Hub name or path", show=False),
    ]

    def compose_step(self) -> ComposeResult:
        yield MemoizedStatic(id="chosen", classes="panel")
        with VerticalScroll(id="preview", classes="panel fill"):
            yield MemoizedStatic(id="rows")

    def on_mount(self) -> None:
        self.query_one("#chosen").border_title = "Data"
        self.query_one("#preview").border_title = "As it reaches the model"
        self.query_one("#preview").focus()

    def on_screen_resume(self) -> None:
        if self._data is None:
            self.say("o chooses a file from here; p takes a path, a folder or a hub name")
        elif not self.session.is_frozen and not self.session.trial_is_current:
            self._try()

    @property
    def _data(self) -> Data | None:
        return self.session.draft.content.data

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        changes = action in ("pick_examples", "pick_eval", "map_columns", "choose_base", "type_path")
        return not (changes and self.session.is_frozen)

    def show(self) -> None:
        found = self.session.data_facts
        self.query_one("#chosen", Static).update(self._chosen(found))
        self.query_one("#rows", Static).update(_rows(found))
        self._say_how_it_stands()

    def _say_how_it_stands(self) -> None:
        state = self.wizard.dry_run_state
        if self.session.is_frozen:
            self.say("this data is frozen into the run")
        elif self.session.trial is not None and state.status in (RunStatus.NEW, RunStatus.RUNNING):
            self.say("reading …")
        elif state.failure is not None and state.audited is None:
            unknown = state.failure.is_a(ShapeUnknown)
            self.say(f"{state.failure.problem}: press m" if unknown else state.failure.message, error=True)
        elif state.audited is not None:
            block = state.audited.block
            self.say(f"read; the audit found {block} {'thing that blocks' if block == 1 else 'things that block'}: c goes on to it")

    def _chosen(self, found: artifacts.DataFacts | None) -> Content:
        content = self.session.draft.content
        data, state = content.data, (self.state if self.session.is_frozen else self.wizard.dry_run_state)
        if data is None:
            return Content("no file yet")
        lines = [_line("examples", _named(data.examples))]
        lines.append(_line("eval file", _named(data.eval) if data.eval else "none: a part of the examples is set aside"))
        for shape in state.shapes:
            bad = f", {shape.unreadable} unreadable" if shape.unreadable else ""
            lines.append(_line("shape", f"{shape.file}: {shape.rows} rows, {shape.shape}{bad}"))
        if data.columns:
            lines.append(_line("columns", f"input = {data.columns.input}, output = {data.columns.output}"))
        lines.append(_line("base", content.model.base if content.model else "not chosen yet (b): lengths are in characters"))
        if found is not None:
            for name, length in (("prompt", found.prompt), ("answer", found.answer)):
                told = f"{length.median} {found.unit} is the median, 99 % up to {length.p99}, at most {length.longest}"
                lines.append(_line(name, told))
        return Content("\n").join(lines)

    def action_pick_examples(self) -> None:
        self.app.push_screen(PickScreen("The examples", ENDINGS), self._take_examples)

    def action_pick_eval(self) -> None:
        if self._data is None:
            self.complain("choose the examples first")
        else:
            self.app.push_screen(PickScreen("The separate eval file", ENDINGS), self._take_eval)

    def action_type_path(self) -> None:
        why = "A path, a folder of data files, or the name of a data set on the hub."
        now = self._data.examples if self._data else ""
        self.app.push_screen(AskLine("The examples", why, now if isinstance(now, str) else ""), self._take_path)

    def action_map_columns(self) -> None:
        why = "Two column names with a comma between: the one with the request, and the one with the wanted answer."
        columns = self._data.columns if self._data else None
        now = f"{columns.input}, {columns.output}" if columns else ""
        self.app.push_screen(AskLine("Columns", why, now, "question, answer"), self._take_columns)

    def action_choose_base(self) -> None:
        why = f"A folder with a model, a hub name, or `{SAMPLE}` for the small one that ships."
        base = self.session.draft.content.model
        self.app.push_screen(AskLine("Base model", why, base.base if base else SAMPLE), self._take_base)

    def _take_examples(self, path: Path | None) -> None:
        if path is not None:
            self._choose(Data(examples=str(path.resolve()), eval=self._data.eval if self._data else None))

    def _take_path(self, text: str | None) -> None:
        if text:
            path = Path(text).expanduser()
            self._choose(Data(examples=str(path.resolve()) if path.exists() else text))

    def _take_eval(self, path: Path | None) -> None:
        if path is not None and self._data is not None:
            self._choose(self._data.model_copy(update={"eval": str(path.resolve())}))

    def _take_columns(self, text: str | None) -> None:
        if text is None or self._data is None:
            return
        asked, _, answered = (part.strip() for part in text.partition(","))
        if text.strip() and not (asked and answered):
            self.complain("two names with a comma between")
            return
        columns = Columns(input=asked, output=answered) if text.strip() else None
        self._choose(self._data.model_copy(update={"columns": columns}))

    def _take_base(self, text: str | None) -> None:
        if text:
            path = Path(text).expanduser()
            base = str(path.resolve()) if path.is_dir() and text != SAMPLE else text
            self._choose_sections(model=ModelChoice(base=base))

    def _choose(self, data: Data) -> None:
        self._choose_sections(data=data)

    def _choose_sections(self, **sections: object) -> None:
        try:
            self.session.draft.choose(**sections)
        except TuneproofError as error:
            self.attempt("Data", error)
            return
        self._try()

    def _try(self) -> None:
        if self._data is not None:
            self.wizard.start_dry_run()
        self.refresh_all()


def _line(name: str, told: str) -> Content:
    return Content.assemble((f"{name:<10}", "dim"), sanitize(told, one_line=True))


def _named(examples: str | list[str]) -> str:
    return examples if isinstance(examples, str) else ", ".join(examples)


def _rows(found: artifacts.DataFacts | None) -> Content:
    if found is None:
        return Content("the first rows appear here")
    parts: list[Content] = []
    for row in found.rows:
        size = f"prompt {row.prompt_length}, answer {row.answer_length} {found.unit}"
        parts.append(Content.styled(sanitize(f"── {row.file}:{row.line}  {size}", one_line=True), "bold"))
        parts.append(sanitized_content(row.prompt, max_length=2000))
        parts.append(Content.assemble(("wanted ", "bold"), sanitize(row.answer, max_length=1000)))
    return Content("\n").join(parts)
