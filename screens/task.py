"""Step 4: what is asked, how an answer is judged, how much is set aside; then the eval set is frozen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.schema import SAMPLE, ModelChoice
from tuneproof.engine.case.task import METRICS, Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import ExitCode, TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.scoring.statistics import minimum_detectable_effect
from tuneproof.engine.session.steps import Step
from tuneproof.screens.ask import AskChoice, AskLine, AskText
from tuneproof.screens.step import StepScreen
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize

KINDS = {
    OutputKind.JSON: "a JSON object; a schema says what is in it",
    OutputKind.CHOICE: "one of a few labels",
    OutputKind.PATTERN: "a text in which a regular expression finds the answer",
    OutputKind.TEXT: "free text; only an exact match counts as right",
}

MEASURES = {
    Metric.EXACT_MATCH: "the whole answer is right",
    Metric.FIELD_ACCURACY: "the share of JSON fields that are right",
    Metric.CHOICE_ACCURACY: "the label is right",
    Metric.MACRO_F1: "F1 averaged over the labels, so that rare ones count as much",
    Metric.PATTERN_MATCH: "what the pattern finds is right",
}


@dataclass(frozen=True)
class Field:
    """One line of the form: its name, what it says now, and what enter does."""

    name: str
    value: str
    edit: Callable[[], None]


class TaskScreen(StepScreen):
    """A form over the task, the target, the base and the split; and the freeze."""

    STEP = Step.TASK
    HELP_TEXT = """
**How will you know that it got better?** By asking the same cases of every system, and judging every answer by the same rule.

- **Output kind**: what an answer has to look like. It was drafted from your examples; look at it before you trust it.
- **Schema**: for JSON, which fields there are and what may stand in them. An answer that breaks it is *not format-valid*.
- **Metric**: what is counted. **Target**: what would be good enough; an untuned system that reaches it ends the matter.
- **Split**: *train* is learned from, *validation* is watched while training and picks the best checkpoint, *eval* is read only to score.
- **Can show a difference of about 16 points**: with so few cases, a smaller difference between two systems would look like luck.
  Four times the cases halve it.
- **Freeze** (f): the eval set is written, and its SHA-256 goes into the manifest. After that neither it nor the task can change in this
  run, so nobody can, later, pick the cases that suit the result.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "freeze", "Freeze the eval set"),
        Binding("d", "draft_again", "Draft from the examples"),
        Binding("r", "freeze_again", "Go on"),
        Binding("e", "start_anew", "Change (new run)"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._fields: list[Field] = []

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="form")
        yield MemoizedStatic(id="split", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#split").border_title = "Eval set"
        self.query_one("#form").focus()

    def on_screen_resume(self) -> None:
        self._complete()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "start_anew":
            return self.session.is_frozen
        if action == "freeze_again":
            return self.session.freeze_broke_off(self.state) and not self._is_refused
        return not (action in ("freeze", "draft_again") and self.session.is_frozen)

    @property
    def _is_refused(self) -> bool:
        """Whether the run can never freeze: what it was made from is not fit for it."""
        failure = self.state.failure
        return failure is not None and failure.exit_code == ExitCode.REFUSED

    def show(self) -> None:
        self._fields = self._form()
        listed = self.query_one("#form", OptionList)
        listed.border_title = "Task" if self.session.is_frozen else "Task: enter changes what is marked"
        marked = listed.highlighted or 0
        width = max(len(field.name) for field in self._fields)
        listed.clear_options()
        listed.add_options([Option(_line(field, width)) for field in self._fields])
        listed.highlighted = min(marked, len(self._fields) - 1)
        self.query_one("#split", Static).update(self._split_text())
        self._say_how_it_stands()
        self.refresh_bindings()

    def _complete(self) -> None:
        """Gives what was not chosen yet what the examples suggest: a task, and the sample model as the base."""
        content = self.session.draft.content
        found = self.session.data_facts
        if self.session.is_frozen:
            return
        sections: dict[str, Any] = {}
        if content.task is None and found is not None:
            sections["task"] = Task(output=found.drafted_output)
        if content.model is None:
            sections["model"] = ModelChoice(base=SAMPLE)
        if sections:
            self._choose(**sections)
        elif not self.session.trial_is_current:
            self.wizard.start_dry_run()

    def _form(self) -> list[Field]:
        content = self.session.draft.content
        task = content.task or Task()
        output = task.output
        fields = [
            Field("instruction", task.instruction or "none: the model is given the input alone", self._edit_instruction),
            Field("output kind", f"{output.kind}: {KINDS[output.kind]}", self._edit_kind),
        ]
        if output.kind is OutputKind.JSON:
            fields.append(Field("schema", _schema_line(output), self._edit_schema))
        if output.kind is OutputKind.CHOICE:
            fields.append(Field("choices", ", ".join(output.choices) if output.choices else "the labels seen in train", self._edit_choices))
        if output.kind is OutputKind.PATTERN:
            fields.append(Field("pattern", output.pattern or "", self._edit_pattern))
        target = f"at least {100 * content.target.at_least:g} %" if content.target else "none: any gain beyond the interval counts"
        split = content.data.split if content.data else SplitShares()
        scored = "eval a file of its own" if content.data and content.data.eval else f"eval {split.eval:g}"
        shares = f"train {split.train:g}, validation {split.validation:g}, {scored}"
        fields += [
            Field("metric", f"{task.primary_metric}: {MEASURES[task.primary_metric]}", self._edit_metric),
            Field("target", target, self._edit_target),
            Field("base model", content.model.base if content.model else "none", self._edit_base),
            Field("shares", shares, self._edit_shares),
            Field("keep together", split.group_by or "equal requests only", self._edit_group),
        ]
        return fields

    @on(OptionList.OptionSelected, "#form")
    def _edit(self, event: OptionList.OptionSelected) -> None:
        if self.session.is_frozen:
            self.complain("frozen: e lays this run aside and begins another")
        else:
            self._fields[event.option_index].edit()

    def _split_text(self) -> Content:
        state = self.state if self.session.is_frozen else self.wizard.dry_run_state
        frozen = state.frozen
        if frozen is None:
            return Content("how many cases there are to score with is known when the audit has gone through")
        effect = round(100 * frozen.minimum_detectable_effect)
        quadruple = round(100 * minimum_detectable_effect(4 * frozen.eval))
        lines = [
            Content(f"{frozen.train} to train on, {frozen.validation} to validate with, {frozen.eval} to score on"),
            Content(f"{frozen.eval} eval cases can show a difference of about {effect} points; {4 * frozen.eval} would show {quadruple}"),
        ]
        if self.session.is_frozen:
            lines.append(Content.styled(f"frozen, sha256 {frozen.eval_sha256}", "bold"))
        return Content("\n").join(lines)

    def _say_how_it_stands(self) -> None:
        state = self.state
        if self.session.freeze_broke_off(state):
            told = state.failure.message if state.failure is not None else f"the worker {state.status.value} before the eval set was frozen"
            self.say(f"{told}; {'e begins another run' if self._is_refused else 'r goes on where it was'}", error=True)
        elif self.session.is_frozen and Stage.SPLIT in state.done:
            self.say("frozen; c goes on to the baselines")
        elif self.session.is_frozen:
            self.say("freezing …")
        elif not self._is_ready():
            report = self.session.report
            told = "reading the data with this task …"
            if self.wizard.dry_run_state.failure is not None:
                told = self.wizard.dry_run_state.failure.message
            elif report is not None and report.blocking():
                told = "the audit blocks with this task: go back to it with 3"
            self.say(told, error=self.wizard.dry_run_state.failure is not None)
        else:
            self.say("f freezes: after that the eval set and the task cannot change in this run")

    def _is_ready(self) -> bool:
        return self.session.trial_is_current and Stage.SPLIT in self.wizard.dry_run_state.done

    def action_freeze(self) -> None:
        if not self._is_ready():
            self.complain("not yet: the data has not gone through the audit with this task")
            return
        self.wizard.freeze()
        self.refresh_all()

    def action_freeze_again(self) -> None:
        if self.wizard.go_on(Stage.SPLIT):
            self.say("starting the worker …")

    def action_draft_again(self) -> None:
        found = self.session.data_facts
        if found is not None:
            task = self.session.draft.content.task or Task()
            self._choose(task=Task(instruction=task.instruction, output=found.drafted_output))
            self.notify(found.drafted_why, markup=False)

    def action_start_anew(self) -> None:
        self.wizard.start_anew()

    def on_dry_run_changed(self, message: object) -> None:
        if self.wizard.session is not None and self.session.draft.content.task is None:
            self._complete()

    def _choose(self, **sections: Any) -> None:
        try:
            self.session.draft.choose(**sections)
        except TuneproofError as error:
            self.attempt("Task", error)
            return
        if not self.session.trial_is_current:
            self.wizard.start_dry_run()
        self.refresh_all()

    def _change_task(self, **changes: Any) -> None:
        task = self.session.draft.content.task or Task()
        self._choose(task=task.model_copy(update=changes))

    def _edit_instruction(self) -> None:
        task = self.session.draft.content.task or Task()
        why = "What the model is told before each input. Rows that bring an instruction of their own keep it."
        self.app.push_screen(AskLine("Instruction", why, task.instruction or ""), self._take_instruction)

    def _take_instruction(self, text: str | None) -> None:
        if text is not None:
            self._change_task(instruction=text.strip() or None)

    def _edit_kind(self) -> None:
        task = self.session.draft.content.task or Task()
        found = self.session.data_facts
        why = f"What an answer has to look like. {found.drafted_why if found else ''}"
        self.app.push_screen(AskChoice("Output kind", why, [(k.value, v) for k, v in KINDS.items()], task.output.kind), self._take_kind)

    def _take_kind(self, word: str | None) -> None:
        if word is None:
            return
        found, kind = self.session.data_facts, OutputKind(word)
        drafted = found.drafted_output if found else None
        if drafted is not None and drafted.kind is kind:
            output = drafted
        else:
            output = OutputFormat(kind=kind, pattern=r"(.+)" if kind is OutputKind.PATTERN else None)
        self._choose_output(output)

    def _choose_output(self, output: OutputFormat) -> None:
        content = self.session.draft.content
        task = content.task or Task()
        metric = task.metric if task.metric in METRICS[output.kind] else None
        sections: dict[str, Any] = {"task": Task(instruction=task.instruction, output=output, metric=metric)}
        # A target in a measure that the new kind does not have would be one that nothing can meet.
        if content.target and content.target.metric is not None and content.target.metric not in METRICS[output.kind]:
            sections["target"] = Target(at_least=content.target.at_least)
        self._choose(**sections)

    def _edit_schema(self) -> None:
        task = self.session.draft.content.task or Task()
        why = "The JSON Schema that every answer has to satisfy. Empty: any JSON will do."
        text = json.dumps(task.output.json_schema, indent=2, ensure_ascii=False) if task.output.json_schema else ""
        self.app.push_screen(AskText("Schema", why, text), self._take_schema)

    def _take_schema(self, text: str | None) -> None:
        if text is None:
            return
        try:
            schema = json.loads(text) if text.strip() else None
        except ValueError as error:
            self.complain(f"not JSON, so the schema stays as it was: {error}")
            return
        if schema is not None and not isinstance(schema, dict):
            self.complain("a schema is a JSON object; it stays as it was")
            return
        self._choose_output(OutputFormat(kind=OutputKind.JSON, json_schema=schema))

    def _edit_choices(self) -> None:
        task = self.session.draft.content.task or Task()
        why = "One label a line. Empty: the labels seen in train."
        self.app.push_screen(AskText("Choices", why, "\n".join(task.output.choices or [])), self._take_choices)

    def _take_choices(self, text: str | None) -> None:
        if text is not None:
            choices = [line.strip() for line in text.split("\n") if line.strip()]
            self._choose_output(OutputFormat(kind=OutputKind.CHOICE, choices=choices or None))

    def _edit_pattern(self) -> None:
        task = self.session.draft.content.task or Task()
        why = "A regular expression; its first group is the answer."
        self.app.push_screen(AskLine("Pattern", why, task.output.pattern or ""), self._take_pattern)

    def _take_pattern(self, text: str | None) -> None:
        if text:
            task = self.session.draft.content.task or Task()
            output = task.output.model_dump(by_alias=True) | {"pattern": text}
            self._choose(task=task.model_dump(by_alias=True) | {"output": output})

    def _edit_metric(self) -> None:
        task = self.session.draft.content.task or Task()
        choices = [(metric.value, MEASURES[metric]) for metric in METRICS[task.output.kind]]
        self.app.push_screen(AskChoice("Metric", "What is counted over the eval cases.", choices, task.primary_metric), self._take_metric)

    def _take_metric(self, word: str | None) -> None:
        if word is not None:
            self._change_task(metric=Metric(word))

    def _edit_target(self) -> None:
        target = self.session.draft.content.target
        why = "What would be good enough, in percent. Empty: no target."
        self.app.push_screen(AskLine("Target", why, f"{100 * target.at_least:g}" if target else "", "90"), self._take_target)

    def _take_target(self, text: str | None) -> None:
        if text is None:
            return
        number = text.strip().rstrip("%").strip()
        if not number:
            self._choose(target=None)
            return
        try:
            share = round(float(number) / 100, 6)
        except ValueError:
            self.complain("a number between 0 and 100")
            return
        task = self.session.draft.content.task or Task()
        self._choose(target={"metric": task.primary_metric.value, "at_least": share})

    def _edit_base(self) -> None:
        base = self.session.draft.content.model
        why = f"A folder with a model, a hub name, or `{SAMPLE}` for the small one that ships."
        self.app.push_screen(AskLine("Base model", why, base.base if base else SAMPLE), self._take_base)

    def _take_base(self, text: str | None) -> None:
        if text and text.strip():
            self._choose(model={"base": text.strip()})

    def _edit_shares(self) -> None:
        data = self.session.draft.content.data
        split = data.split if data else SplitShares()
        why = "Three numbers that add up to 1: train, validation, eval. With a separate eval file the third is not used."
        self.app.push_screen(AskLine("Shares", why, f"{split.train:g} {split.validation:g} {split.eval:g}"), self._take_shares)

    def _take_shares(self, text: str | None) -> None:
        data = self.session.draft.content.data
        if text is None or data is None:
            return
        try:
            train, validation, scored = (float(part) for part in text.replace(",", " ").split())
        except ValueError:
            self.complain("three numbers that add up to 1")
            return
        split = data.split.model_dump() | {"train": train, "validation": validation, "eval": scored}
        self._choose(data=data.model_dump() | {"split": split})

    def _edit_group(self) -> None:
        data = self.session.draft.content.data
        why = "A column whose equal values must stay in one part: the customer, the conversation. Empty: equal requests only."
        self.app.push_screen(AskLine("Keep together", why, (data.split.group_by if data else None) or ""), self._take_group)

    def _take_group(self, text: str | None) -> None:
        data = self.session.draft.content.data
        if text is not None and data is not None:
            self._choose(data=data.model_dump() | {"split": data.split.model_dump() | {"group_by": text.strip() or None}})


def _schema_line(output: OutputFormat) -> str:
    schema = output.json_schema
    if not isinstance(schema, dict):
        return "any JSON"
    names = list(schema.get("properties", {}))
    return f"{len(names)} fields: {', '.join(names)}" if names else "a JSON Schema"


def _line(field: Field, width: int) -> Content:
    return Content.assemble(f" {field.name:<{width}}  ", (sanitize(field.value, one_line=True, max_length=200), "bold"))
