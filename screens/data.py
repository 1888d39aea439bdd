"""Step 2: which file, in which shape, and what the model sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuneproof.engine.case.data import Data
from tuneproof.engine.case.route import Route
from tuneproof.engine.case.schema import SAMPLE, ModelChoice
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.files import FORMATS_IN_FOLDERS, YAML
from tuneproof.engine.run import artifacts
from tuneproof.engine.session.base_check import check_base, describe_base
from tuneproof.engine.session.column_choice import Column, first_columns
from tuneproof.engine.session.data_form import DataStatus, data_status, eval_source, named_files, with_examples
from tuneproof.engine.session.examples_check import check_examples
from tuneproof.engine.session.form_input import base_model, examples_named, parse_columns
from tuneproof.engine.session.steps import WizardStep
from tuneproof.engine.session.task_form import BASE_HELP
from tuneproof.screens.ask import AskLine
from tuneproof.screens.columns import ColumnsScreen, Picked
from tuneproof.screens.pick import PickScreen
from tuneproof.screens.step import StepScreen
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

NO_ROWS = """The first rows are shown here, as the base model will read them.

Each row is an example: a request, and the answer that you want. A CSV or a spreadsheet has a column for each, JSON lines have a field
for each; press s to say which, if their names do not."""
"""What the panel of rows says before there is any."""

ENDINGS = [ending + packed for ending in FORMATS_IN_FOLDERS for packed in ("", ".gz", ".zst")]


class DataScreen(StepScreen):
    """Chooses the data and shows it as the model will see it."""

    STEP = WizardStep.DATA
    HELP_TEXT = f"""
**What a model is tuned on**: examples, each a request and the answer that you want.

- **Formats**: {", ".join(FORMATS_IN_FOLDERS)}, each also with `.gz` or `.zst`; a folder of such files; or a name on the Hugging Face
  hub.
- **Shape**: how a record is written. `messages` (OpenAI chat), `conversations` (ShareGPT), `instruction/input/output` (Alpaca),
  `prompt/completion` are recognised by their keys. If the keys are others, press s to choose the columns.
- **As the model sees it**: the exact text after the base model's *chat template*. Until you choose a base, it is shown without one.
- **Lengths** are in *tokens*, the pieces of text that a model reads; a tenth of a page is about 50. Until you choose a base, they are in
  characters.
- **A separate eval file** is one that you already keep for testing. Without one, a file, sheet or list among the examples
  that is called test or eval is taken; else a part of the examples is set aside and frozen.
- **Base model**: the model you start from: a folder, a hub name, or `{SAMPLE}`, the small model that ships with
  tuneproof and only shows how it works.

z shows one request token by token. Nothing here changes your files.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "pick_examples", "File"),
        Binding("v", "pick_eval", "Eval file"),
        Binding("s", "map_columns", "Columns"),
        Binding("b", "choose_base", "Base"),
        Binding("d", "edit_key('data.documents')", "Documents"),
        Binding("z", "trace", "One request", show=False),
        Binding("p", "type_path", "Hub name or path", show=False),
    ]

    _described_base: tuple[str | None, str] = (None, "")

    def compose_step(self) -> ComposeResult:
        yield MemoizedStatic(id="chosen", classes="panel")
        with VerticalScroll(id="preview", classes="panel fill"):
            yield MemoizedStatic(id="rows")

    def on_mount(self) -> None:
        self.query_one("#chosen").border_title = "Data"
        self.query_one("#preview").border_title = "As the model sees it"
        self.query_one("#preview").focus()

    def on_screen_resume(self) -> None:
        if self._data is None:
            self.show_status("o opens a list of files; p lets you type a path, a folder or a hub name")
        elif not self.session.is_frozen and not self.session.dry_run_is_current:
            self._start_dry_run()

    @property
    def _data(self) -> Data | None:
        return self.session.draft.content.data

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "edit_key":
            return self.session.route() is Route.RAG
        changes = action in ("pick_examples", "pick_eval", "map_columns", "choose_base", "type_path")
        return not (changes and self.session.is_frozen)

    def show(self) -> None:
        found = self.session.data_facts
        self.query_one("#chosen", Static).update(self._chosen(found))
        self.query_one("#rows", Static).update(_rows(found))
        self._show_data_status()

    def _show_data_status(self) -> None:
        state, why = self.wizard.dry_run_state, self.session.why_no_dry_run
        if why is not None and not self.session.is_frozen:
            self.show_status(str(why), error=True)
            return
        match data_status(state, is_frozen=self.session.is_frozen, has_dry_run=self.session.dry_run is not None):
            case DataStatus.FROZEN:
                self.show_status("this data is frozen into the run")
            case DataStatus.READING:
                self.show_status("reading …")
            case DataStatus.NEEDS_COLUMNS if state.failure is not None:
                self.show_status(f"{state.failure.problem}: press s to choose the columns", error=True)
            case DataStatus.FAILED if state.failure is not None:
                self.show_status(state.failure.message, error=True)
            case DataStatus.AUDITED if state.audited is not None:
                block = state.audited.block
                counted = f"{block} findings block" if block > 1 else f"{block or 'no'} finding blocks"
                self.show_status(f"read; {counted}: press c to continue to the audit")

    def _chosen(self, found: artifacts.DataFacts | None) -> Content:
        content = self.session.draft.content
        data, state = content.data, (self.state if self.session.is_frozen else self.wizard.dry_run_state)
        if data is None:
            return Content("no file yet")
        lines = [_line("examples", named_files(data.examples))]
        lines.append(_line("eval file", eval_source(data, found)))
        for shape in state.shapes:
            bad = f", {shape.unreadable} unreadable" if shape.unreadable else ""
            lines.append(_line("shape", f"{shape.file}: {shape.rows} rows, {shape.shape}{bad}"))
        if data.columns:
            lines.append(_line("columns", f"input = {data.columns.input}, output = {data.columns.output}"))
        lines.append(_line("base", self._base_line(content.model)))
        if data.documents is not None or self.session.route() is Route.RAG:
            lines.append(_line("documents", data.documents or "none: the route says retrieval first, and d names them"))
        if found is not None:
            for name, length in (("prompt", found.prompt), ("answer", found.answer)):
                lines.append(_line(name, f"median {length.median} {found.unit}, 99 % up to {length.p99}, longest {length.longest}"))
        return Content("\n").join(lines)

    def _base_line(self, model: ModelChoice | None) -> str:
        """The base and what its files say, read once for each base."""
        if model is None:
            return "not chosen yet (b): lengths are in characters"
        if self._described_base[0] != model.base:
            self._described_base = (model.base, describe_base(model.base))
        return f"{model.base}: {self._described_base[1]}"

    def action_pick_examples(self) -> None:
        self.app.push_screen(PickScreen("The examples", ENDINGS), self._examples_picked)

    def action_pick_eval(self) -> None:
        if self._data is None:
            self.show_error("choose the examples first")
        else:
            self.app.push_screen(PickScreen("The separate eval file", [*ENDINGS, *YAML]), self._eval_picked)

    def action_type_path(self) -> None:
        why = "A file, a folder of data files, or the name of a data set on the Hugging Face hub."
        now = self._data.examples if self._data else ""
        self.app.push_screen(
            AskLine("The examples", why, now if isinstance(now, str) else "", check=check_examples, is_slow=True), self._path_entered
        )

    def action_map_columns(self) -> None:
        """Reads the columns of the first rows, then lets one choose."""
        if self._data is None:
            self.show_error("choose the examples first")
            return
        examples = self._data.examples
        self.show_status("reading the columns …")
        self.run_worker(lambda: self._read_columns(examples), thread=True, exclusive=True, group="columns")

    def _read_columns(self, examples: str | list[str]) -> None:
        try:
            columns, wrong = first_columns(examples), None
        except TuneproofError as error:
            columns, wrong = [], str(error)
        self.app.call_from_thread(self._ask_columns, columns, wrong)

    def _ask_columns(self, columns: list[Column], wrong: str | None) -> None:
        if not self.is_current or self._data is None:
            return
        self._show_data_status()
        if wrong is not None:
            self.show_error(wrong)
        elif len(columns) < len(("request", "answer")):
            self._type_columns()
        else:
            self.app.push_screen(ColumnsScreen(columns, has_columns=self._data.columns is not None), self._columns_picked)

    def _columns_picked(self, picked: Picked | None) -> None:
        if picked is not None and self._data is not None:
            self._choose(data=self._data.model_copy(update={"columns": picked.columns}))

    def _type_columns(self) -> None:
        """For data whose first rows cannot be read here, such as a data set on the hub."""
        why = "Two column names, separated by a comma: the column with the request, then the column with the answer."
        columns = self._data.columns if self._data else None
        now = f"{columns.input}, {columns.output}" if columns else ""
        self.app.push_screen(AskLine("Columns", why, now, "question, answer", self._check_columns), self._columns_entered)

    def action_choose_base(self) -> None:
        base = self.session.draft.content.model
        ask = AskLine("Base model", BASE_HELP, base.base if base else SAMPLE, check=self._check_base, is_slow=True)
        self.app.push_screen(ask, self._base_entered)

    def _examples_picked(self, path: Path | None) -> None:
        if path is not None:
            self._choose(data=with_examples(self._data, str(path.resolve())))

    def _eval_picked(self, path: Path | None) -> None:
        if path is not None and self._data is not None:
            self._choose(data=self._data.model_copy(update={"eval": str(path.resolve())}))

    def _path_entered(self, text: str | None) -> None:
        if text and text.strip():
            self._choose(data=with_examples(self._data, examples_named(text)))

    def _columns_entered(self, text: str | None) -> None:
        if text is not None and self._data is not None:
            self._choose(data=self._data.model_copy(update={"columns": parse_columns(text)}))

    def _check_columns(self, text: str) -> str:
        if self._data is not None:
            self.check_sections({"data": self._data.model_copy(update={"columns": parse_columns(text)})})
        return ""

    def _check_base(self, text: str) -> str:
        if text.strip():
            self.check_sections({"model": ModelChoice(base=base_model(text))})
        return check_base(text)

    def _base_entered(self, text: str | None) -> None:
        if text and text.strip():
            self._choose(model=ModelChoice(base=base_model(text)))

    def _choose(self, **sections: object) -> None:
        if self.save_sections(**sections):
            self._start_dry_run()

    def _start_dry_run(self) -> None:
        if self._data is not None:
            self.wizard.start_dry_run()
        self.refresh_all()


def _line(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<10}", Meaning.MUTED.style), sanitize(value, one_line=True))


def _rows(found: artifacts.DataFacts | None) -> Content:
    if found is None:
        return Content(NO_ROWS)
    parts: list[Content] = []
    for row in found.rows:
        size = f"prompt {row.prompt_length}, answer {row.answer_length} {found.unit}"
        parts.append(Meaning.HEADING.text(sanitize(f"── {row.file}:{row.line}  {size}", one_line=True)))
        parts.append(sanitized_content(row.prompt, max_length=2000))
        parts.append(Content.assemble(("wanted ", "bold"), sanitize(row.answer, max_length=1000)))
    return Content("\n").join(parts)
